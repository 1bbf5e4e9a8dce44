"""Words that people bring from other tools, and what we say instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runner.errors import did_you_mean

PLAY: Mapping[str, str] = {
    "hosts": "did you mean 'benches'?  (a host is the machine that instruments are plugged into)",
    "tasks": "did you mean 'tests'?  ('steps' is the short form: every step is a test)",
    "pre_tasks": "did you mean 'setup'?",
    "post_tasks": "did you mean 'teardown'?",
    "handlers": "there are none: write the step where it is needed, or use 'defer'",
    "roles": "did you mean 'import'?  (an imported file holds actions, used like modules)",
    "gather_facts": "leave it out: nothing is gathered",
    "become": "leave it out: hosts are reached as the user that the inventory names",
    "become_user": "leave it out: hosts are reached as the user that the inventory names",
    "remote_user": "did you mean 'user' of the host in the inventory?",
    "connection": "did you mean 'transport' of the host in the inventory?",
    "vars_prompt": "did you mean 'params'?",
    "serial": "did you mean 'max_parallel'?",
    "forks": "did you mean 'max_parallel'?",
    "environment": "set the variables in the commands that need them",
    "ignore_errors": "'ignore_errors' goes on a step",
    "any_errors_fatal": "did you mean 'runner play --fail-fast'?",
    "module_defaults": "did you mean 'defaults'?",
    "collections": "did you mean 'import'?",
    "suite": "did you mean 'name'?",
    "cases": "did you mean 'tests'?",
    "matrix": "'matrix' goes on a test",
    "parameters": "did you mean 'params'?",
}

TEST: Mapping[str, str] = {
    "name": "did you mean 'test'?",
    "tasks": "did you mean 'steps'?",
    "block": "did you mean 'steps'?",
    "hosts": "'benches' goes on the play",
    "benches": "'benches' goes on the play",
    "always": "did you mean 'teardown'?",
    "depends": "did you mean 'requires'?",
    "depends_on": "did you mean 'requires'?",
    "needs": "did you mean 'requires'?",
    "parametrize": "did you mean 'matrix'?",
    "loop": "did you mean 'matrix'?",
    "with_items": "did you mean 'matrix'?",
    "become": PLAY["become"],
    "expect": "'expect' goes on a step",
    "params": "'params' goes on the play",
    "import": "'import' goes on the play",
}

STEP: Mapping[str, str] = {
    "tasks": "did you mean 'block'?",
    "steps": "did you mean 'block'?",
    "test": "a test stands in 'tests', a step in 'steps'",
    "hosts": "did you mean 'bench'?",
    "delegate_to": "did you mean 'bench'?",
    "async": "did you mean 'background'?  (background: NAME, later 'join: NAME' or 'stop: NAME')",
    "poll": "did you mean 'background'?  (background: NAME, later 'join: NAME' or 'stop: NAME')",
    "async_status": "did you mean 'join'?  (join: NAME waits for the step with background: NAME)",
    "set_fact": "did you mean 'set'?",
    "become": PLAY["become"],
    "become_user": PLAY["become_user"],
    "with_items": "did you mean 'loop'?",
    "with_dict": "did you mean 'loop'?  (a mapping gives item.key and item.value)",
    "with_sequence": "did you mean 'loop'?  (loop: \"{{ range(1, 4) }}\")",
    "with_list": "did you mean 'loop'?",
    "loop_control": "did you mean 'loop_var' and 'label'?  (they stand beside 'loop')",
    "include": "did you mean 'import' of the play?  (its actions are used like modules)",
    "include_tasks": "did you mean 'import' of the play?  (its actions are used like modules)",
    "import_tasks": "did you mean 'import' of the play?  (its actions are used like modules)",
    "include_role": "did you mean 'import' of the play?  (its actions are used like modules)",
    "import_role": "did you mean 'import' of the play?  (its actions are used like modules)",
    "notify": "there are no handlers: write the step where it is needed, or use 'defer'",
    "changed_when": "leave it out: a step passes or does not",
    "check_mode": "leave it out: a module knows whether it may run under --check",
    "throttle": "did you mean 'max_parallel' of the play?",
    "environment": "set the variables in the command that needs them",
    "args": "put the arguments below the module",
    "vars_files": "'vars_files' goes on the play",
    "matrix": "'matrix' goes on a test",
    "requires": "'requires' goes on a test",
    "xfail": "'xfail' goes on a test",
    "finally": "did you mean 'always'?",
    "skip_if": "did you mean 'when'?",
    "assert_that": "did you mean 'expect'?",
}

_VERBS: Mapping[str, str] = {
    "shell": "command",
    "raw": "command",
    "win_command": "command",
    "script": "command",
    "set_fact": "set",
    "pause": "wait",
    "sleep": "wait",
    "delay": "wait",
    "wait_for": "console_expect",
    "debug": "log",
    "print": "log",
    "echo": "log",
    "verify": "assert",
    "check": "assert",
    "power_reset": "power_cycle",
    "reboot": "power_cycle",
    "reset": "power_cycle",
    "uboot": "uboot_cmd",
    "expect_console": "console_expect",
    "login": "console_login",
    "can": "can_send",
}


def verb_hint(word: str, verbs: Collection[str], modifiers: Collection[str]) -> str:
    """Say which module, action or key of a step was probably meant by `word`.

    >>> verb_hint("shell", ["command", "set"], [])
    "did you mean 'command'?"
    """
    meant = _VERBS.get(word, "")
    if meant in verbs or meant in modifiers:
        return f"did you mean {meant!r}?"
    return did_you_mean(word, [*verbs, *modifiers])
