"""``E3xx``: the codes of names and expressions."""

from __future__ import annotations

from collections.abc import Mapping

from runner.codes.code import Code

EXPRESSIONS: Mapping[str, Code] = {
    "E301": Code(
        "an unknown name",
        "No param, variable, matrix variable, loop variable or register of that name can be seen "
        "here. A text "
        "in an expression stands in quotes.",
        "when: stage == nightly",
        "when: stage == 'nightly'",
    ),
    "E302": Code(
        "an unknown field",
        "Modules declare the fields of their results; 'runner doc MODULE' lists them.",
        "expect: boot.elapsd < 40",
        "expect: boot.elapsed < 40",
    ),
    "E303": Code(
        "an action returns a name as text",
        "Values of 'returns' are values like all others: a register's value stands in {{ }}.",
        "returns: {time: boot.elapsed}",
        'returns: {time: "{{ boot.elapsed }}"}',
    ),
    "E304": Code(
        "braces in an expression",
        "when, until, expect, failed_when and that are expressions already.",
        'when: "{{ stage == 1 }}"',
        "when: stage == 1",
    ),
    "E305": Code(
        "a variable that some bench does not have",
        "The play runs on several benches, and each of them needs the variable or label.",
    ),
    "E306": Code(
        "a name that has no value yet",
        "A register can be used by later steps of its test; those of 'setup' by all tests. What a "
        "background "
        "step gives can be used after 'join'.",
        '- log: "{{ boot.elapsed }}"\n- console_login: {user: root}\n  register: boot',
        '- console_login: {user: root}\n  register: boot\n- log: "{{ boot.elapsed }}"',
    ),
    "E307": Code(
        "a register hides a variable",
        "Whoever reads the later steps could not tell which of the two is meant.",
        "vars: {boot: cold}\n# …\nregister: boot",
        "vars: {boot: cold}\n# …\nregister: booted",
    ),
    "E308": Code("a module without a result", "There is nothing to register, expect or measure."),
    "E309": Code(
        "a variable is defined by itself",
        "The definitions of variables go in a circle.",
        'vars: {a: "{{ b }}", b: "{{ a }}"}',
        'vars: {a: "{{ b }}", b: 1}',
    ),
    "E310": Code("a template or expression is not valid", "The message is Jinja's own."),
    "E311": Code(
        "braces in an expression",
        "An expression stands without {{ }}.",
        'that: "{{ a == 1 }}"',
        "that: a == 1",
    ),
    "E312": Code("no such filter", "Jinja's filters can be used, and those of 'runner doc'."),
    "E313": Code(
        "no such test",
        "What follows 'is' is a test: defined, match, search, file, version and Jinja's own.",
    ),
    "E320": Code(
        "two steps give one name a value",
        "A register is set once in a test, so that every use of it can be followed.",
    ),
}
