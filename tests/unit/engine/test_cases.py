"""Tests, plays and benches: how cases are made, played and ended."""

import threading
from pathlib import Path
from typing import Any

import pytest
from support.playing import ENDED, MOCKED, FakeLink, play_text, recipe_of

from runner.agent.calls import Request, Run, Take, TakenAway
from runner.api import Cancelled, Failed, LabError
from runner.engine.schedule import Interrupts
from runner.errors import InputError
from runner.result import BenchReleased, CaseStarted, PlayFinished

THREE = "".join(
    MOCKED.format(name=name).removeprefix("benches:\n" if name != "b1" else "") for name in ("b1", "b2", "b3")
)


LOCKED = "driver: command, turn_on: 'true', turn_off: 'true'"


def board(_run: Run) -> None:
    raise Failed("board")


def lab(_run: Run) -> None:
    raise LabError("lab")


def test_a_matrix_makes_a_case_for_each_row_without_the_excluded_ones(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        "tests:\n  - test: t\n    matrix: {sensor: [temp, light], rate: [10, 100], exclude: [{sensor: light, rate: 100}]}\n"
        "    steps:\n      - log: 'x {{ sensor }} {{ rate }}'\n",
    )

    assert played.logs() == ["x temp 10", "x temp 100", "x light 10"]
    assert list(played.outcomes) == [
        "t[sensor=temp,rate=10]@b",
        "t[sensor=temp,rate=100]@b",
        "t[sensor=light,rate=10]@b",
    ]


def test_an_id_pins_the_name_of_a_case(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{log: x}", more="    id: boot-1\n"))

    assert list(played.outcomes) == ["boot-1@b"]


def test_a_failed_case_does_not_stop_the_next_one(tmp_path: Path) -> None:
    text = "tests:\n  - {test: a, steps: [{fail: no}]}\n  - {test: c, steps: [{log: on}]}\n"
    played = play_text(tmp_path, text)

    assert played.outcomes == {"a@b": "failed", "c@b": "passed"}
    assert played.result.exit_code == 1


def test_the_short_form_skips_the_rest_after_the_first_failure(tmp_path: Path) -> None:
    played = play_text(
        tmp_path, "steps:\n  - {log: a, name: one}\n  - {fail: no, name: two}\n  - {log: c, name: three}\n"
    )

    assert list(played.outcomes.values()) == ["passed", "failed", "skipped"]
    assert played.result.cases[2].reason == "an earlier step did not pass"


def test_requires_skips_a_case_whose_requirement_did_not_pass(tmp_path: Path) -> None:
    text = "tests:\n  - {test: a, steps: [{fail: no}]}\n  - {test: c, requires: a, steps: [{log: on}]}\n"
    played = play_text(tmp_path, text)

    assert played.outcomes == {"a@b": "failed", "c@b": "skipped"}
    assert played.case("c").reason == "requires 'a', which failed"


def test_a_chosen_case_brings_what_it_requires(tmp_path: Path) -> None:
    text = "tests:\n  - {test: a, steps: [{log: 'x a'}]}\n  - {test: other, steps: [{log: no}]}\n  - {test: c, requires: a, steps: [{log: 'x c'}]}\n"
    played = play_text(tmp_path, text, names=("c",))

    assert played.logs() == ["x a", "x c"]


@pytest.mark.parametrize(
    ("more", "steps", "outcome", "reason"),
    [
        ("xfail: issue 812", "{fail: no}", "xfailed", "issue 812"),
        ("xfail: {reason: issue 812}", "{log: fine}", "xpassed", ""),
        ("xfail: {reason: x, strict: false}", "{log: fine}", "passed", ""),
        ("xfail: {reason: x, when: 1 == 2}", "{fail: no}", "failed", ""),
        ("xfail: x", "{command: x}", "error", ""),
        ("skip: not now", "{fail: no}", "skipped", "not now"),
        ("skip: {reason: x, when: 1 == 2}", "{log: fine}", "passed", ""),
        ("when: 1 == 2", "{fail: no}", "skipped", "when: 1 == 2"),
        ("when: bench.name == 'b'", "{log: fine}", "passed", ""),
        ("tags: x", "{skip: no cable}", "skipped", "no cable"),
    ],
)
def test_xfail_skip_and_when_of_a_test(
    tmp_path: Path, more: str, steps: str, outcome: str, reason: str
) -> None:
    played = play_text(tmp_path, recipe_of(steps, more=f"    {more}\n"), answer=lab)

    assert played.outcomes == {"t@b": outcome}
    assert played.case("t").reason == reason


def test_a_test_is_tried_again_and_its_pass_is_flaky_with_every_attempt(tmp_path: Path) -> None:
    answers = iter([Failed("first"), Failed("second")])

    def third_time(_run: Run) -> dict[str, object]:
        for each in answers:
            raise each
        return dict(ENDED)

    played = play_text(tmp_path, recipe_of("{command: x}", more="    retries: 2\n"), answer=third_time)

    assert played.outcomes == {"t@b": "flaky"}
    assert [each.problem.message for each in played.case("t").attempts] == ["first", "second"]
    assert [event.attempt for event in played.events if isinstance(event, CaseStarted)] == [1, 2, 3]
    assert played.result.exit_code == 0


def test_retries_can_be_limited_to_errors(tmp_path: Path) -> None:
    played = play_text(
        tmp_path, recipe_of("{command: x}", more="    retries: {max: 3, on: [error]}\n"), answer=board
    )

    assert len(played.link.commands()) == 1


def test_setup_and_teardown_of_a_test_surround_its_steps(tmp_path: Path) -> None:
    more = "    setup: [{log: 'x setup'}]\n    teardown: [{log: 'x down'}, {fail: no}, {log: 'x last'}]\n"
    played = play_text(tmp_path, recipe_of("{log: 'x step'}", more=more))

    assert played.logs() == ["x setup", "x step", "x down", "x last"]
    assert played.outcomes == {"t@b": "failed"}


def test_a_failing_setup_of_a_test_skips_its_steps_and_tears_down(tmp_path: Path) -> None:
    more = "    setup: [{fail: no}]\n    teardown: [{log: 'x down'}]\n"
    played = play_text(tmp_path, recipe_of("{log: never}", more=more))

    assert played.logs() == ["x down"]


@pytest.mark.parametrize(
    "steps",
    [
        "steps: [{log: x}, {log: y, defer: true, when: 1 > 2}]",
        "steps: [{log: x}]\n    teardown: [{log: y, when: 1 > 2}]",
        "steps: [{parallel: [{log: x}, {log: y, when: 1 > 2}]}]",
        "steps: [{block: [{log: x}], always: [{log: y, when: 1 > 2}]}]",
    ],
    ids=["deferred", "teardown", "parallel", "always"],
)
def test_what_was_skipped_beside_it_makes_no_case_a_skipped_one(tmp_path: Path, steps: str) -> None:
    played = play_text(tmp_path, f"benches: all\ntests:\n  - test: t\n    {steps}\n")

    assert played.logs() == ["x"]
    assert "passed" in {step.outcome.word for step in played.steps if step.depth == 0}
    assert played.outcomes == {"t@b": "passed"}


def test_a_case_that_skips_itself_is_skipped_whatever_its_clean_up_does(tmp_path: Path) -> None:
    more = "    teardown: [{log: 'x down'}]\n"
    played = play_text(tmp_path, recipe_of("{skip: not today}", "{log: never}") + more)

    assert played.logs() == ["x down"]
    assert played.outcomes == {"t@b": "skipped"}


def test_a_failing_setup_of_the_play_blocks_the_cases_and_teardown_runs(tmp_path: Path) -> None:
    text = (
        "setup: [{fail: no power}]\nteardown: [{log: 'x down'}, {fail: no}, {log: 'x last'}]\n"
        + recipe_of("{log: never}")
    )
    played = play_text(tmp_path, text)

    problem = played.case("t").problem
    assert played.outcomes == {"t@b": "blocked"}
    assert problem is not None
    assert problem.message == "the play's setup did not pass: no power"
    assert played.logs() == ["x down", "x last"]
    assert played.result.exit_code == 3


def test_registers_of_the_setup_are_seen_by_all_tests(tmp_path: Path) -> None:
    text = "setup: [{command: x, register: r}]\n" + recipe_of("{assert: r.status == 0}")

    assert play_text(tmp_path, text).outcomes == {"t@b": "passed"}


def test_a_failing_teardown_alone_ends_with_5(tmp_path: Path) -> None:
    played = play_text(tmp_path, "teardown: [{fail: stuck}]\n" + recipe_of("{log: fine}"))

    assert played.result.exit_code == 5
    assert [each.problems[0].message for each in played.events if isinstance(each, PlayFinished)] == ["stuck"]


@pytest.mark.parametrize(
    ("answer", "options", "code"),
    [
        (lambda _run: dict(ENDED), {}, 0),
        (board, {}, 1),
        (lab, {}, 3),
    ],
)
def test_the_exit_code_says_whose_fault_it_is(
    tmp_path: Path, answer: object, options: dict[str, object], code: int
) -> None:
    played = play_text(tmp_path, recipe_of("{command: x}"), answer=answer, **options)  # type: ignore[arg-type]

    assert played.result.exit_code == code


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("fail_on_skip", "{skip: x}"),
        ("strict_flaky", "{command: x, retries: 1, retry_on: [failed], delay: 0s}"),
    ],
)
def test_strict_flags_turn_skips_and_flakes_into_failures(tmp_path: Path, flag: str, text: str) -> None:
    answers = iter([Failed("once")])

    def once_bad(_run: Run) -> dict[str, object]:
        for each in answers:
            raise each
        return dict(ENDED)

    played = play_text(tmp_path, recipe_of(text, "{log: x}"), answer=once_bad, **{flag: True})

    assert played.result.exit_code == 1


def test_a_run_in_which_every_case_was_skipped_executed_nothing(tmp_path: Path) -> None:
    assert play_text(tmp_path, recipe_of("{skip: x}")).result.exit_code == 2
    assert play_text(tmp_path, recipe_of("{skip: x}"), allow_empty=True).result.exit_code == 0


def test_benches_play_independently(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{fail: no, when: bench.name == 'b2'}"), inventory=THREE)

    assert played.outcomes == {"t@b1": "passed", "t@b2": "failed", "t@b3": "passed"}


def test_shards_play_each_case_on_one_bench(tmp_path: Path) -> None:
    text = "strategy: shard\ntests:\n" + "".join(
        f"  - {{test: t{n}, steps: [{{log: 'x {n}'}}]}}\n" for n in range(9)
    )
    played = play_text(tmp_path, text, inventory=THREE)

    assert sorted(played.logs()) == [f"x {n}" for n in range(9)]


def test_shards_keep_what_requires_another_on_one_bench(tmp_path: Path) -> None:
    text = "strategy: shard\ntests:\n  - {test: a, steps: [{log: 'x'}]}\n  - {test: n, steps: [{log: 'x'}]}\n  - {test: c, requires: a, steps: [{log: 'x'}]}\n"
    played = play_text(tmp_path, text, inventory=THREE)

    bench = {case.test: case.bench for case in played.result.cases}
    assert bench["a"] == bench["c"]


def test_lockstep_begins_no_step_before_all_benches_are_there(tmp_path: Path) -> None:
    order: list[str] = []
    lock = threading.Lock()

    def note(run: Run) -> dict[str, object]:
        with lock:
            order.append(str(run.arguments["command"]))
        return dict(ENDED)

    steps = [f"{{command: s{n}}}" for n in range(5)]
    played = play_text(tmp_path, "strategy: lockstep\n" + recipe_of(*steps), answer=note, inventory=THREE)

    assert order == [f"s{n}" for n in range(5) for _bench in range(3)]
    assert set(played.outcomes.values()) == {"passed"}


def test_lockstep_does_not_wait_for_a_bench_whose_case_is_over(tmp_path: Path) -> None:
    text = "strategy: lockstep\ntests:\n  - {test: a, steps: [{fail: no, when: bench.name == 'b1'}, {log: on}]}\n  - {test: c, steps: [{log: on}]}\n"
    played = play_text(tmp_path, text, inventory=THREE)

    assert played.outcomes["a@b1"] == "failed"
    assert played.outcomes["c@b1"] == "passed"


def test_take_plays_on_so_many_benches(tmp_path: Path) -> None:
    played = play_text(tmp_path, "take: 2\n" + recipe_of("{log: x}"), inventory=THREE)

    assert len(played.result.cases) == 2


def test_take_goes_on_to_the_next_bench_when_one_is_held(tmp_path: Path) -> None:
    class Held(FakeLink):
        def call(self, request: Request, *args: Any, **more: Any) -> Any:
            if isinstance(request, Take) and request.bench == "b1":
                raise LabError("bench b1 is held", evidence={"holder": "somebody"})
            return super().call(request, *args, **more)

    inventory = THREE.replace("driver: mock", LOCKED)
    played = play_text(tmp_path, "take: 1\n" + recipe_of("{log: x}"), inventory=inventory, link=Held)

    assert [case.bench for case in played.result.cases] == ["b2"]


def test_run_once_runs_on_one_bench_and_all_get_its_result(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{command: x, run_once: true, register: r}", "{assert: r.status == 0}"),
        inventory=THREE,
    )

    assert len(played.link.commands()) == 1
    assert set(played.outcomes.values()) == {"passed"}


def test_a_step_can_run_on_another_bench_with_its_variables(tmp_path: Path) -> None:
    inventory = (
        THREE.replace("  b2:\n", "  b2:\n    vars: {tty: second}\n")
        .replace("  b1:\n", "  b1:\n    vars: {tty: first}\n")
        .replace("  b3:\n", "  b3:\n    vars: {tty: third}\n")
    )
    played = play_text(
        tmp_path,
        "benches: b1, b2\n" + recipe_of("{log: 'x {{ tty }} {{ bench.name }}', bench: b2}"),
        inventory=inventory,
    )

    assert played.logs() == ["x second b2", "x second b2"]


def test_fail_fast_cancels_what_has_not_begun(tmp_path: Path) -> None:
    text = "tests:\n  - {test: a, steps: [{fail: no}]}\n  - {test: c, steps: [{log: on}]}\n"
    played = play_text(tmp_path, text, fail_fast=True)

    assert played.outcomes == {"a@b": "failed", "c@b": "cancelled"}
    assert played.result.exit_code == 1


def test_repeat_and_until_fail_play_cases_again(tmp_path: Path) -> None:
    assert len(play_text(tmp_path, recipe_of("{log: x}"), repeat=3).result.cases) == 3

    answers = iter([dict(ENDED), dict(ENDED)])

    def third_bad(_run: Run) -> dict[str, object]:
        for each in answers:
            return each
        raise Failed("at last")

    played = play_text(tmp_path, recipe_of("{command: x}"), answer=third_bad, until_fail=True)
    assert list(played.outcomes.values()) == ["passed", "passed", "failed"]


def test_a_share_of_the_cases_and_a_shuffled_order_are_the_same_every_time(tmp_path: Path) -> None:
    text = "tests:\n" + "".join(f"  - {{test: t{n}, steps: [{{log: 'x {n}'}}]}}\n" for n in range(6))

    assert play_text(tmp_path, text, shard=(2, 3)).logs() == ["x 1", "x 4"]
    shuffled = play_text(tmp_path, text, shuffle=7).logs()
    assert shuffled == play_text(tmp_path, text, shuffle=7).logs()
    assert sorted(shuffled) == [f"x {n}" for n in range(6)]


@pytest.mark.parametrize(
    ("options", "played_tests"),
    [
        ({"tags": ("fast",)}, ["a"]),
        ({"skip_tags": ("fast",)}, ["c", "d"]),
        ({"names": ("D",)}, ["d"]),
        ({"start_at": "c"}, ["c", "d"]),
        ({"only": frozenset({"recipe::d@b"})}, ["d"]),
    ],
)
def test_cases_can_be_chosen(tmp_path: Path, options: dict[str, object], played_tests: list[str]) -> None:
    text = "tests:\n  - {test: a, tags: [fast], steps: [{log: x}]}\n  - {test: c, steps: [{log: x}]}\n  - {test: d, steps: [{log: x}]}\n"
    played = play_text(tmp_path, text, **options)

    assert [case.test for case in played.result.cases] == played_tests


def test_an_unknown_test_to_start_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no test 'nope' to start from"):
        play_text(tmp_path, recipe_of("{log: x}"), start_at="nope")


def test_an_interrupt_cancels_the_case_and_clean_up_runs(tmp_path: Path) -> None:
    interrupts = Interrupts()

    def interrupt(_run: Run) -> dict[str, object]:
        interrupts.interrupt(2, "SIGINT")
        return dict(ENDED)

    text = "teardown: [{log: 'x down'}]\n" + recipe_of(
        "{log: 'x deferred', defer: true}", "{command: x}", "{log: never}"
    )
    played = play_text(tmp_path, text, answer=interrupt, interrupts=interrupts)

    assert played.outcomes == {"t@b": "cancelled"}
    assert played.logs() == ["x deferred", "x down"]
    assert played.result.exit_code == 130


def test_a_second_interrupt_ends_clean_up(tmp_path: Path) -> None:
    interrupts = Interrupts()

    def interrupt(_run: Run) -> dict[str, object]:
        interrupts.interrupt(15, "SIGTERM")
        return dict(ENDED)

    text = "teardown: [{command: y}, {log: never}]\n" + recipe_of("{command: x}")
    played = play_text(tmp_path, text, answer=interrupt, interrupts=interrupts)

    assert played.logs() == []
    assert played.result.exit_code == 143


def test_acquire_and_release_steps_surround_the_play(tmp_path: Path) -> None:
    inventory = MOCKED.format(name="b") + "    on_acquire: [{log: x on}]\n    on_release: [{log: x off}]\n"
    played = play_text(tmp_path, recipe_of("{log: x step}"), inventory=inventory)

    assert played.logs() == ["x on", "x step", "x off"]


def test_a_failing_acquire_loses_the_bench(tmp_path: Path) -> None:
    inventory = MOCKED.format(name="b") + "    on_acquire: [{fail: smoke}]\n    on_release: [{log: x off}]\n"
    played = play_text(tmp_path, recipe_of("{log: never}"), inventory=inventory)

    assert played.outcomes == {"t@b": "blocked"}
    assert played.logs() == ["x off"]


def test_a_bench_that_is_held_too_long_ends_with_4(tmp_path: Path) -> None:
    class Held(FakeLink):
        def call(self, request: Request, *args: Any, **more: Any) -> Any:
            if isinstance(request, Take):
                raise LabError("bench b is held", evidence={"holder": "somebody"})
            return super().call(request, *args, **more)

    played = play_text(
        tmp_path,
        recipe_of("{log: x}"),
        inventory=MOCKED.format(name="b").replace("driver: mock", LOCKED),
        link=Held,
    )

    assert played.outcomes == {"t@b": "blocked"}
    assert played.result.exit_code == 4


def test_a_lost_agent_blocks_the_remaining_cases(tmp_path: Path) -> None:
    class Dying(FakeLink):
        def call(self, request: Request, *args: Any, **more: Any) -> Any:
            if isinstance(request, Run):
                self.lost = "the agent is gone"
                raise LabError("the agent is gone")
            return super().call(request, *args, **more)  # type: ignore[arg-type]

    text = "tests:\n  - {test: a, steps: [{command: x}]}\n  - {test: c, steps: [{log: on}]}\n"
    played = play_text(tmp_path, text, link=Dying)

    assert played.outcomes == {"a@b": "error", "c@b": "blocked"}
    assert any(isinstance(event, BenchReleased) for event in played.events)


def test_a_bench_that_its_host_gives_back_is_an_error_of_the_lab_and_its_other_cases_are_blocked(
    tmp_path: Path,
) -> None:
    class Strict(FakeLink):
        def call(self, request: Request, *args: Any, **more: Any) -> Any:
            if isinstance(request, Run):
                self.heard(TakenAway("b", "its max_hold of 2h is over"))
                raise Cancelled("the agent stopped it")
            return super().call(request, *args, **more)  # type: ignore[arg-type]

    text = "tests:\n  - {test: a, steps: [{command: x}]}\n  - {test: c, steps: [{log: on}]}\n"
    played = play_text(tmp_path, text, link=Strict)

    assert played.outcomes == {"a@b": "error", "c@b": "blocked"}
    problem = played.case("a").problem
    assert problem is not None
    assert (problem.message, problem.blame) == ("its max_hold of 2h is over", "lab")


def test_the_host_is_told_how_long_a_play_may_have_the_bench(tmp_path: Path) -> None:
    inventory = (
        "benches:\n  b: {max_hold: 2h, devices: {power: {driver: command, turn_on: x, turn_off: y}}}\n"
    )
    one = play_text(tmp_path, recipe_of("{log: x}"), inventory=inventory)
    other = play_text(tmp_path, "reserve: {hold: 30m}\n" + recipe_of("{log: x}"), inventory=inventory)
    (longest,) = (each for each in one.link.asked if isinstance(each, Take))
    (asked,) = (each for each in other.link.asked if isinstance(each, Take))

    assert (longest.hold, longest.hold_origin.partition(" (")[0]) == (7200, "the bench's max_hold of 2h")
    assert (asked.hold, asked.hold_origin.partition(" (")[0]) == (
        1800,
        "'hold' of 30m in the play's 'reserve'",
    )
    with pytest.raises(InputError, match="may be held for 2h, and 'reserve' asks to hold it for 3h"):
        play_text(tmp_path, "reserve: {hold: 3h}\n" + recipe_of("{log: x}"), inventory=inventory)


def test_a_bench_out_of_service_is_left_out_and_named(tmp_path: Path) -> None:
    inventory = THREE.replace("  b2:\n", "  b2:\n    enabled: {reason: fan dead, by: ann}\n")
    played = play_text(tmp_path, recipe_of("{log: x}"), inventory=inventory)

    assert sorted(case.bench for case in played.result.cases) == ["b1", "b3"]
    assert any(
        "b2 is out of service: fan dead (ann)" in getattr(event, "text", "") for event in played.events
    )


def test_secrets_are_hidden_in_every_event(tmp_path: Path) -> None:
    text = "params: {pw: {type: str, secret: true, env: PW}}\n" + recipe_of(
        "{log: 'x {{ pw }}'}", "{assert: pw == 'other'}"
    )
    played = play_text(tmp_path, text, environment={"PW": "hunter2"})

    assert "hunter2" not in str(played.events)
    assert played.logs() == ["x ******"]


def test_precedence_goes_from_params_over_inventory_to_the_command_line(tmp_path: Path) -> None:
    inventory = (
        "vars: {a: 1, c: 1, d: 1, e: 1, f: 1}\n"
        + MOCKED.format(name="b")
        + "    vars: {c: 2, d: 2, e: 2, f: 2}\n"
    )
    text = (
        "params: {a: {type: int, default: 0}, z: {type: int, default: 0}, f: {type: int, default: 0}}\nvars: {d: 3, e: 3, f: 3}\n"
        + recipe_of(
            "{log: 'x {{ z }}{{ a }}{{ c }}{{ d }}{{ e }}{{ f }}', vars: {f: 5}}",
            more="    vars: {e: 4, f: 4}\n",
        )
    )
    played = play_text(tmp_path, text, inventory=inventory)
    assert played.logs() == ["x 012345"]

    played = play_text(tmp_path, text, inventory=inventory, extra={"f": "9"})
    assert played.logs() == ["x 012349"]


def test_when_of_a_play_is_judged_for_each_bench(tmp_path: Path) -> None:
    text = "when: bench.name != 'b2'\nsetup: [{log: 'x {{ bench.name }}'}]\n" + recipe_of("{log: y}")
    played = play_text(tmp_path, text, inventory=THREE)

    assert played.outcomes == {"t@b1": "passed", "t@b2": "skipped", "t@b3": "passed"}
    assert sorted(played.logs()) == ["x b1", "x b3", "y", "y"]


def test_registers_of_the_short_form_are_seen_by_its_later_steps(tmp_path: Path) -> None:
    played = play_text(tmp_path, "steps:\n  - {command: x, register: r}\n  - {assert: r.status == 0}\n")

    assert set(played.outcomes.values()) == {"passed"}


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("{transport: local, python: python3.12}", "'python' of this machine is not supported yet"),
        ("{transport: local, cache: true}", "'cache' of this machine is not supported yet"),
    ],
)
def test_what_no_host_can_do_yet_is_refused_before_the_run(tmp_path: Path, host: str, told: str) -> None:
    inventory = f"hosts: {{shelf: {host}}}\n" + MOCKED.format(name="b") + "    host: shelf\n"

    with pytest.raises(InputError, match=told):
        play_text(tmp_path, recipe_of("{log: x}"), inventory=inventory)
