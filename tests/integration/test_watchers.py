"""Recipes whose board goes wrong while they run, with real agents: a simulated board, and a real Linux."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.peers import GUEST
from support.playing import Played, play_text

from runner.connect.agents import connector
from runner.result import StepFinished

SIM = "benches:\n  b:\n    devices:\n      board: {{driver: sim, faults: {faults}}}\n"
LINUX = f"""
benches:
  b:
    devices:
      board:
        driver: qemu
        cpu: cortex-a57
        kernel: {GUEST / "Image"}
        initrd: {GUEST / "initrd.gz"}
        append: console=ttyAMA0 panic=-1
"""


def played(folder: Path, text: str, *, faults: str = "{}", inventory: str = "") -> Played:
    connect = connector(dict, hosts={}, classes=tuple)
    return play_text(folder, text, inventory=inventory or SIM.format(faults=faults), connect=connect)


def bad(done: Played) -> StepFinished:
    (step,) = [step for step in done.steps if not step.outcome.good]
    return step


def test_a12_a_panic_fails_the_step_that_only_waits_within_five_seconds(tmp_path: Path) -> None:
    done = played(
        tmp_path,
        "tests:\n- test: t\n  steps: [power_on: , wait: 70s]\n  teardown: [power_off: ]\n",
        faults="{panic_after: 2s}",
    )

    step = bad(done)
    assert (step.verb, step.outcome.word) == ("wait", "failed")
    assert 2 <= step.seconds < 60
    assert step.problem is not None
    assert "kernel panic: 'Kernel panic - not syncing: Fatal exception in interrupt'" in step.problem.message
    assert "Call trace:" in step.problem.evidence["tail"]
    assert "Kernel panic" in step.problem.console
    offset, log = step.problem.evidence["offset"], step.problem.evidence["log"]
    assert log.startswith("console/b.board.console.raw:")
    assert isinstance(offset, int)


def test_a12_an_oops_while_a_command_runs_fails_its_step(tmp_path: Path) -> None:
    done = played(
        tmp_path,
        "steps: [power_on: , console_login: {within: 60s}, console_cmd: sleep 90]\n",
        faults="{oops_after: 5s}",
    )

    step = bad(done)
    assert (step.verb, step.outcome.word) == ("console_cmd", "failed")
    assert step.problem is not None
    assert "kernel oops: 'Internal error: Oops: 0000000096000004 [#1]" in step.problem.message


@pytest.mark.parametrize("step", ["uboot_enter: {within: 60s}", "console_login: {within: 60s}"])
def test_a11_a_reset_loop_is_named_while_a_prompt_is_waited_for(tmp_path: Path, step: str) -> None:
    done = played(
        tmp_path,
        f"tests:\n- test: t\n  steps: [power_cycle: 100ms, {{{step}}}]\n  teardown: [power_off: ]\n",
        faults="{reset_loop: true}",
    )

    problem = bad(done).problem
    assert problem is not None
    assert "reset loop: 'U-Boot SPL" in problem.message
    assert done.result.clean_up == []


def test_what_restarts_the_board_on_purpose_fails_nothing(tmp_path: Path) -> None:
    done = played(
        tmp_path,
        """
        steps:
          - power_on:
          - uboot_enter: {off_time: 100ms}
          - uboot_cmd: version
          - console_send: {text: reset, enter: true}
          - console_login: {within: 60s}
          - console_cmd: cat /proc/version
          - console_cmd: dmesg
          - console_send: {text: reboot, enter: true}
          - expect_console: {pattern: "U-Boot SPL", within: 60s}
          - power_cycle: 100ms
          - console_login: {within: 60s}
          - expect_reset:
          - wait: 5s
          - power_off:
        """,
        faults="{reset_after: 6s}",
    )

    assert {name: outcome for name, outcome in done.outcomes.items() if outcome != "passed"} == {}
    assert done.result.exit_code == 0


def test_a_reset_that_nobody_asked_for_fails_the_step_and_the_play_may_allow_it(tmp_path: Path) -> None:
    steps = "tests:\n- test: t\n  steps: [power_on: , console_login: {within: 60s}, wait: 12s]\n"
    step = bad(played(tmp_path, steps, faults="{reset_after: 6s}"))

    assert step.problem is not None
    assert "unexpected reset: 'U-Boot SPL" in step.problem.message
    assert "expect_reset" in step.problem.hint
    allowed = played(tmp_path, "watch: {allow: [reset]}\n" + steps, faults="{reset_after: 6s}")
    assert allowed.outcomes == {"t@b": "passed"}


def test_a_play_can_watch_for_its_own_words_and_switch_watching_off(tmp_path: Path) -> None:
    own = "watch: {add: [{name: sample stored, pattern: 'sample [0-9]+ stored'}]}\n"
    steps = "tests:\n- test: t\n  steps: [power_on: , wait: 20s]\n"
    step = bad(played(tmp_path, own + steps, faults="{log_every: 2s}"))

    assert step.problem is not None
    assert "sample stored: 'sample 1 stored'" in step.problem.message
    off = "watch: false\n" + steps.replace("20s", "4s")
    assert played(tmp_path, off, faults="{panic_after: 1s}").outcomes == {"t@b": "passed"}


@pytest.mark.peer("guest")
def test_a_real_kernel_that_panics_fails_the_step_that_only_waits(tmp_path: Path) -> None:
    done = played(
        tmp_path,
        """
        tests:
        - test: t
          steps:
            - power_on:
            - console_login: {user: root, password: toor, within: 4m}
            - console_cmd: dmesg
            - console_send: {text: "sleep 2; echo c > /proc/sysrq-trigger", enter: true}
            - wait: 3m
          teardown: [power_off: ]
        """,
        inventory=LINUX,
    )

    step = bad(done)
    assert step.verb == "wait"
    assert step.seconds < 120
    assert step.problem is not None
    assert "Kernel panic - not syncing: sysrq triggered crash" in step.problem.message
    assert "write_sysrq_trigger" in step.problem.evidence["tail"]


@pytest.mark.peer("guest")
def test_a_real_board_that_resets_by_itself_fails_the_step_that_only_waits(tmp_path: Path) -> None:
    done = played(
        tmp_path,
        """
        tests:
        - test: t
          steps:
            - power_on:
            - console_login: {user: root, password: toor, within: 4m}
            - console_cmd: "{ sleep 2; echo b > '/proc/sys''rq-trigger'; } &"
            - wait: 4m
          teardown: [power_off: ]
        """,
        inventory=LINUX,
    )

    step = bad(done)
    assert step.verb == "wait"
    assert step.problem is not None
    assert "unexpected reset: 'Linux version 6." in step.problem.message
