"""Attempts, and the ladder of recovery between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.playing import ENDED, MOCKED, Answer, FakeLink, Played, play_text, recipe_of

from runner.agent.calls import ConsoleBytes, Lift, Run
from runner.agent.quarantine import Quarantines
from runner.api import Failed, LabError
from runner.errors import InputError
from runner.result import Outcome, StepFinished

LADDER = "    recover: [power_on, power_off, power_cycle, quarantine]\n"
TWO = MOCKED.format(name="b1") + LADDER + MOCKED.format(name="b2").removeprefix("benches:\n")


def failing(times: int, error: type[Exception] = Failed, *, rungs: tuple[str, ...] = ()) -> Answer:
    """Fail the command so many times, and the modules named in `rungs` always."""
    left = [error(f"bad {number}") for number in range(1, times + 1)]

    def answer(run: Run) -> dict[str, Any]:
        name = run.path.rpartition(":")[2]
        if name in rungs:
            raise LabError(f"{name} does not work")
        if name == "Command" and left:
            raise left.pop(0)
        if name == "Command":
            return dict(ENDED)
        return {"previous": "on", "state": "on", "verified": "state"}

    return answer


def with_state(folder: Path) -> Callable[[Answer], FakeLink]:
    def link(answer: Answer) -> FakeLink:
        made = FakeLink(answer)
        made.quarantines = Quarantines([folder])
        return made

    return link


def tried(
    folder: Path,
    times: int,
    *,
    retries: int = 3,
    ladder: str = LADDER,
    rungs: tuple[str, ...] = (),
    **more: Any,
) -> Played:
    """Play a case whose command fails so many times, on a bench with a ladder."""
    return play_text(
        folder,
        recipe_of("{command: x}", more=f"    retries: {retries}\n"),
        answer=failing(times, rungs=rungs),
        inventory=MOCKED.format(name="b") + ladder,
        link=with_state(folder / "state"),
        **more,
    )


def ran(played: Played) -> list[str]:
    """Return which modules ran, in order."""
    return [each.path.rpartition(":")[2] for each in played.link.asked if isinstance(each, Run)]


def test_rung_n_comes_before_attempt_n_plus_1(tmp_path: Path) -> None:
    played = tried(tmp_path, 2)

    assert ran(played) == ["Command", "PowerOn", "Command", "PowerOff", "Command"]
    assert played.outcomes == {"t@b": "flaky"}


def test_a_rung_that_does_not_pass_gives_way_to_the_next_at_once(tmp_path: Path) -> None:
    played = tried(tmp_path, 1, rungs=("PowerOn",))

    assert ran(played) == ["Command", "PowerOn", "PowerOff", "Command"]
    (bad,) = played.case("t").attempts
    assert bad.recovery == ("power_on: error", "power_off: passed")


def test_at_the_top_the_last_rung_is_used_again(tmp_path: Path) -> None:
    played = tried(tmp_path, 3, ladder="    recover: [power_on, power_off]\n")

    assert ran(played) == ["Command", "PowerOn", "Command", "PowerOff", "Command", "PowerOff", "Command"]


def test_a_last_rung_that_does_not_pass_is_tried_once_and_the_attempt_comes_all_the_same(
    tmp_path: Path,
) -> None:
    played = tried(tmp_path, 1, ladder="    recover: [power_on]\n", rungs=("PowerOn",))

    assert ran(played) == ["Command", "PowerOn", "Command"]


def test_without_a_ladder_a_case_is_just_tried_again(tmp_path: Path) -> None:
    assert ran(tried(tmp_path, 1, ladder="")) == ["Command", "Command"]


def test_a_recovery_is_told_as_steps_of_the_case_and_does_not_count_in_it(tmp_path: Path) -> None:
    played = tried(tmp_path, 1, rungs=("PowerOn",))

    steps = [
        event for event in played.events if isinstance(event, StepFinished) and event.phase == "recovery"
    ]
    assert [(step.name, step.outcome, step.case) for step in steps] == [
        ("power_on", Outcome.ERROR, "recipe::t@b"),
        ("power_off", Outcome.PASSED, "recipe::t@b"),
    ]
    assert played.result.exit_code == 0


def test_every_attempt_has_its_problem_its_time_and_its_own_part_of_the_console(tmp_path: Path) -> None:
    """A23, for what the reports are made of."""
    played = play_text(
        tmp_path,
        recipe_of("{command: x}", more="    retries: 2\n"),
        answer=failing(2),
        link=Talkative,
    )

    case = played.case("t")
    assert [(each.number, each.outcome, each.problem.message) for each in case.attempts] == [
        (1, Outcome.FAILED, "bad 1"),
        (2, Outcome.FAILED, "bad 2"),
    ]
    slices = [*(each.console for each in case.attempts), case.console]
    assert [[(each.start, each.end) for each in part] for part in slices] == [[(0, 4)], [(4, 8)], [(8, 12)]]
    assert (case.outcome, case.reason) == (Outcome.FLAKY, "passed on attempt 3")


def test_the_attempts_of_a_step_are_attempts_of_its_case(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{command: x, name: talk, retries: 2, retry_on: [failed], delay: 0s}"),
        answer=failing(1),
        inventory=MOCKED.format(name="b") + LADDER,
        link=Talkative,
    )

    case = played.case("t")
    assert [(each.step, each.number, each.recovery) for each in case.attempts] == [
        ("talk", 1, ("power_on: passed",))
    ]
    assert [(each.start, each.end) for each in case.attempts[0].console] == [(0, 8)]
    assert (case.outcome, case.reason) == (Outcome.FLAKY, "talk passed on attempt 2")


def test_what_no_log_hides_is_hidden_in_attempts_too(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{command: x, no_log: true, retries: 2, retry_on: [failed], delay: 0s}"),
        answer=failing(1),
    )

    assert [each.problem.message for each in played.case("t").attempts] == ["failed (no_log)"]
    assert not any("bad 1" in str(event) for event in played.events)


def test_a_step_uses_the_ladder_for_what_retry_on_names_only(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{command: x, retries: 2, retry_on: [error], delay: 0s}"),
        answer=failing(1),
        inventory=MOCKED.format(name="b") + LADDER,
    )

    assert ran(played) == ["Command"]
    assert played.outcomes == {"t@b": "failed"}


def test_retries_of_the_command_line_count_for_every_case_and_strict_flaky_fails_the_run(
    tmp_path: Path,
) -> None:
    assert tried(tmp_path, 1, retries=0).outcomes == {"t@b": "failed"}

    played = tried(tmp_path, 1, retries=0, strict_flaky=True)
    assert played.result.exit_code == 1
    again = play_text(tmp_path, recipe_of("{command: x}"), answer=failing(1), retries=1, strict_flaky=True)
    assert (again.outcomes, again.result.exit_code) == ({"t@b": "flaky"}, 1)
    lenient = play_text(tmp_path, recipe_of("{command: x}"), answer=failing(1), retries=1)
    assert (lenient.outcomes, lenient.result.exit_code) == ({"t@b": "flaky"}, 0)


QUARANTINING = "    recover: [power_on, {quarantine: {reason: look at it}}]\n"


def test_the_last_rung_ends_the_attempts_and_nobody_takes_the_bench_any_more(tmp_path: Path) -> None:
    first = tried(tmp_path, 9, ladder=QUARANTINING)

    assert ran(first) == ["Command", "PowerOn", "Command"]
    assert first.outcomes == {"t@b": "failed"}
    assert first.case("t").reason == "bench b is in quarantine now"

    second = tried(tmp_path, 0)
    problem = second.case("t").problem
    assert ran(second) == []
    assert second.outcomes == {"t@b": "blocked"}
    assert second.result.exit_code == 4
    assert problem is not None
    assert "by " in problem.message
    assert problem.message.endswith(", run test: look at it: recipe::t@b: bad 2")
    assert problem.hint == "when it is fit again: runner quarantine b --clear"

    Quarantines([tmp_path / "state"]).answer(Lift(bench="b"))
    assert tried(tmp_path, 0).outcomes == {"t@b": "passed"}


def test_later_cases_of_the_same_run_are_blocked(tmp_path: Path) -> None:
    text = recipe_of("{command: x}", more="    retries: 2\n") + "  - {test: u, steps: [{log: x}]}\n"
    played = play_text(
        tmp_path,
        text,
        answer=failing(9),
        inventory=MOCKED.format(name="b") + QUARANTINING,
        link=with_state(tmp_path),
    )

    assert played.outcomes == {"t@b": "failed", "u@b": "blocked"}


def test_a_bench_in_quarantine_is_left_out_when_another_can_be_used(tmp_path: Path) -> None:
    tried(tmp_path, 9, ladder=QUARANTINING.replace("[power_on, ", "["))
    inventory = MOCKED.format(name="b") + MOCKED.format(name="c").removeprefix("benches:\n")

    for play in ("", "take: 1\n"):
        played = play_text(
            tmp_path,
            play + recipe_of("{command: x}"),
            inventory=inventory,
            link=with_state(tmp_path / "state"),
        )
        assert played.outcomes == {"t@c": "passed"}
        assert played.result.exit_code == 0
        assert any("bench b is left out: quarantined" in str(event) for event in played.events)


def test_no_bench_is_left_out_of_lockstep(tmp_path: Path) -> None:
    tried(tmp_path, 9, ladder=QUARANTINING.replace("[power_on, ", "["))
    inventory = MOCKED.format(name="b") + MOCKED.format(name="c").removeprefix("benches:\n")

    played = play_text(
        tmp_path,
        "strategy: lockstep\n" + recipe_of("{command: x}"),
        inventory=inventory,
        link=with_state(tmp_path / "state"),
    )

    assert played.outcomes["t@b"] == "blocked"
    assert played.result.exit_code == 4


@pytest.mark.parametrize(
    ("ladder", "told"),
    [
        ("power_cycle", r"5:14: recover is a list of what is tried in turn"),
        ("[3]", r"5:15: a rung of recover is a module"),
        ("[power_cylce]", r"5:15: no module 'power_cylce'"),
        ("[{power_cycle: {off_tiem: 3s}}]", r"5:30: power_cycle has no argument 'off_tiem'"),
        ("[ctrl_c]", r"5:15: ctrl_c: bench 'b' has no device that offers Console"),
        ("[quarantine, power_cycle]", r"5:15: 'quarantine' ends the ladder"),
        ("[{quarantine: {when: x}}]", r"5:15: 'quarantine' takes a reason and nothing else"),
        ("[{power_cycle: , defer: true}]", r"5:16: a rung of recover cannot have 'defer'"),
    ],
)
def test_a_wrong_ladder_is_told_with_its_place_before_anything_runs(
    tmp_path: Path, ladder: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        tried(tmp_path, 0, ladder=f"    recover: {ladder}\n")


def test_a_bench_without_a_switch_cannot_have_a_power_cycle_on_its_ladder(tmp_path: Path) -> None:
    inventory = "benches:\n  b:\n    devices:\n      can: {driver: serial, port: /dev/null}\n    recover: [power_cycle]\n"

    with pytest.raises(InputError, match="5:15: power_cycle: bench 'b' has no device that offers Power"):
        play_text(tmp_path, recipe_of("{log: x}"), inventory=inventory)


class Talkative(FakeLink):
    """A link whose console says four bytes with each call of a module."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.said = 0

    def call(self, request: Any, hear: Any, *, cancel: Any) -> Any:
        if isinstance(request, Run) and self.console is not None:
            self.console(ConsoleBytes("b", "uart", self.said, 0, 0, b"boot"))
            self.said += 4
        return super().call(request, hear, cancel=cancel)
