"""Alarms of consoles and the steps that they fail, with a link that tells them as its commands say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.playing import Answer, FakeLink, Played, play_text, recipe_of

from runner.agent.calls import Alarm, Configure, Heard, Request, Run, Take, WatchSpec
from runner.api import Cancelled, Failed
from runner.connect.link import Cancel
from runner.engine.alarms import Alarms
from runner.engine.cancel import Cancellation
from runner.result import Logged, Outcome

PANIC = Alarm("b", "console", 1, "seen", "panic", "kernel panic", "Kernel panic - not syncing: x", 700, 12)
SAID = "console 'console': kernel panic: 'Kernel panic - not syncing: x' (line 12 of its log)"


LOCKED = "benches: {b: {devices: {power: {driver: command, turn_on: 'true', turn_off: 'true'}}}}\n"


class Waiting:
    """The real time; a step has `begun` to wait for it to pass."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def now(self) -> float:
        return time.monotonic()

    def wait(self, cancel: Cancellation, seconds: float) -> bool:
        self.begun.set()
        return cancel.wait(seconds)


class WatchedLink(FakeLink):
    """Does what a command says, word by word: tell of an alarm, wait for the end, fail.

    `others`: what has to be so before an alarm is told `late`. Two commands `meet`.
    """

    def __init__(self, answer: Answer, others: threading.Event | None = None) -> None:
        super().__init__(answer)
        self._others = others
        self._meeting = threading.Barrier(2)

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        answer = super().call(request, hear, cancel=cancel)
        if isinstance(request, Run):
            for word in str(request.arguments.get("command")).split():
                self._do(word, cancel)
        return answer

    def _do(self, word: str, cancel: Cancel) -> None:
        match word:
            case "seen" | "sure" | "nothing" as state:
                self.tell(state)
            case "late":
                threading.Timer(0.02, self._tell_late).start()
            case "meet":
                self._meeting.wait(120)
            case "hang":
                over = threading.Event()
                cancel.watch(lambda _cause: over.set())
                assert over.wait(120)
                raise Cancelled(cancel.cause or "")
            case "fail":
                raise Failed("exit status 1")

    def _tell_late(self) -> None:
        assert self._others is None or self._others.wait(120)
        self.tell("sure")

    def tell(self, state: Any) -> None:
        tail = "the tail" if state == "sure" else ""
        why = "the power was switched" if state == "nothing" else ""
        self.heard(Alarm(**{**vars(PANIC), "state": state, "tail": tail, "why": why}))


def played(folder: Path, *steps: str, more: str = "", before: str = "") -> Played:
    return play_text(folder, before + recipe_of(*steps, more=more), link=WatchedLink)


def played_with_a_wait(folder: Path, *steps: str) -> Played:
    """Play steps of which one is a wait: it has begun before an alarm is told late."""
    clock = Waiting()
    return play_text(
        folder, recipe_of(*steps), link=lambda answer: WatchedLink(answer, clock.begun), clock=clock
    )


def test_a_running_step_is_cancelled_and_failed_with_what_was_seen(tmp_path: Path) -> None:
    done = played(tmp_path, "{command: seen sure hang}")

    assert done.outcomes == {"t@b": "failed"}
    (step,) = done.steps
    assert step.problem is not None
    assert (step.problem.message, step.problem.blame, step.problem.kind) == (SAID, "board", "assertion")
    assert step.problem.evidence == {
        "watcher": "panic",
        "log": "console/b.console.raw:12",
        "offset": 700,
        "tail": "the tail",
    }
    assert "watch: {allow: [panic]}" in step.problem.hint


def test_a_step_that_does_not_touch_the_console_is_failed_too(tmp_path: Path) -> None:
    done = played_with_a_wait(tmp_path, "{command: seen late hang, background: x}", "{wait: 4m}")

    assert {step.name.split()[0]: step.outcome.word for step in done.steps} == {
        "command": "failed",
        "wait": "failed",
    }
    assert done.case("t").seconds < 120


def test_a_step_that_ends_before_it_is_decided_waits_and_is_failed(tmp_path: Path) -> None:
    done = played(tmp_path, "{command: seen late}", "{set: {a: 1}}")

    assert [step.outcome for step in done.steps] == [Outcome.FAILED]


def test_what_turns_out_to_be_nothing_fails_nothing(tmp_path: Path) -> None:
    done = played(tmp_path, "{command: seen nothing}", "{set: {a: 1}}")

    assert done.outcomes == {"t@b": "passed"}
    (told,) = [event for event in done.events if isinstance(event, Logged)]
    assert told.text == f"{SAID}; it does not count: the power was switched"


def test_a_step_that_failed_by_itself_is_named_after_the_alarm_and_keeps_its_own_word(tmp_path: Path) -> None:
    done = played(tmp_path, "{command: seen late fail}")

    problem = done.steps[0].problem
    assert problem is not None
    assert problem.message == SAID
    assert problem.evidence["step"] == "exit status 1"


class Early(WatchedLink):
    """Tells of an alarm when the bench is taken, before any step."""

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        if isinstance(request, Take):
            self.tell("sure")
        return super().call(request, hear, cancel=cancel)


def test_an_alarm_between_two_steps_fails_the_next_one_which_is_not_begun(tmp_path: Path) -> None:
    more = "    teardown:\n      - command: after\n"
    text = recipe_of("{command: x}", more=more) + recipe_of("{command: y}", name="u").removeprefix("tests:\n")
    done = play_text(tmp_path, text, link=Early, inventory=LOCKED)

    assert done.outcomes == {"t@b": "failed", "u@b": "passed"}
    problem = done.steps[0].problem
    assert problem is not None
    assert problem.message == f"{SAID}, before this step began"
    assert done.link.commands() == ["after", "y"]


def test_clean_up_is_begun_all_the_same_and_failed_afterwards(tmp_path: Path) -> None:
    more = "    teardown:\n      - command: after\n"
    text = recipe_of("{log: x, when: 1 > 2}", more=more)
    done = play_text(tmp_path, text, link=Early, inventory=LOCKED)

    assert done.link.commands() == ["after"]
    assert [step.outcome.word for step in done.steps] == ["skipped", "failed"]


def test_clean_up_is_done_whatever_the_console_says(tmp_path: Path) -> None:
    more = "    teardown:\n      - command: seen sure\n      - command: after\n"
    done = played(tmp_path, "{command: x}", more=more)

    assert done.link.commands() == ["x", "seen sure", "after"]
    assert [step.outcome.word for step in done.steps] == ["passed", "failed", "passed"]


def test_an_alarm_of_another_bench_fails_nothing_here(tmp_path: Path) -> None:
    class Elsewhere(WatchedLink):
        def tell(self, state: Any) -> None:
            self.heard(Alarm(**{**vars(PANIC), "bench": "other", "state": state}))

    done = play_text(tmp_path, recipe_of("{command: seen sure}"), link=Elsewhere)
    assert done.outcomes == {"t@b": "passed"}


def test_a_negative_test_may_expect_the_panic(tmp_path: Path) -> None:
    expected = "expect_error: {match: kernel panic}"
    done = played(tmp_path, f"{{command: seen sure hang, {expected}}}", "{command: seen sure hang}")

    assert [step.outcome.word for step in done.steps] == ["passed", "failed"]


def test_a_rescue_runs_after_an_alarm(tmp_path: Path) -> None:
    block = "{block: [{command: seen sure hang}], rescue: [{command: y}]}"
    done = played(tmp_path, block)

    assert done.outcomes == {"t@b": "passed"}


def test_all_steps_side_by_side_are_failed(tmp_path: Path) -> None:
    steps = "{parallel: [{command: meet hang}, {wait: 4m}, {command: seen meet late hang}]}"
    done = played_with_a_wait(tmp_path, steps)

    assert [step.outcome.word for step in done.steps] == ["failed"] * 4


def test_an_alarm_after_the_last_step_is_a_problem_of_the_play(tmp_path: Path) -> None:
    class Late(WatchedLink):
        def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
            answer = super().call(request, hear, cancel=cancel)
            if type(request).__name__ == "Release":
                self.tell("sure")
            return answer

    done = play_text(tmp_path, recipe_of("{command: x}"), link=Late)
    assert done.outcomes == {"t@b": "passed"}
    assert done.result.exit_code == 5
    assert [each.message for each in done.result.clean_up] == [f"{SAID}, after the last step"]


def test_a_watch_that_never_decides_counts_in_the_end() -> None:
    alarms, cancel = Alarms(decided_within=0.02), Cancellation()
    with alarms.over("b", cancel) as step:
        alarms.hear(PANIC)

        assert alarms.settle(step, cancel) == PANIC


def test_waiting_for_the_decision_ends_when_the_run_is_cancelled() -> None:
    alarms, cancel = Alarms(), Cancellation()
    with alarms.over("b", cancel) as step:
        alarms.hear(PANIC)
        cancel.cancel("Ctrl-C")

        assert alarms.settle(step, cancel) is None
    assert alarms.left_over("b") == [PANIC]
    assert alarms.left_over("b") == []


@pytest.mark.parametrize(
    ("line", "spec"),
    [
        ("", WatchSpec()),
        ("watch: false\n", None),
        (
            "watch: {allow: [oops], add: [{name: own, pattern: lost}]}\n",
            WatchSpec(("oops",), {"own": "lost"}),
        ),
    ],
)
def test_the_host_learns_what_the_play_watches_for(tmp_path: Path, line: str, spec: WatchSpec | None) -> None:
    done = played(tmp_path, "{command: x}", before=line)

    (configure,) = [each for each in done.link.asked if isinstance(each, Configure)]
    assert configure.watch == spec
