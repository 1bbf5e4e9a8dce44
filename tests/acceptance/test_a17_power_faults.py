"""A17: whatever is wrong with a board's power, the outlet is named and the board is not blamed."""

import json
from pathlib import Path

import pytest
from support.command import runner

RECIPE = """
timeout: {{step: 60s}}
tests:
  - test: boots
    steps:
      - power_on: {{verify: none}}
      - expect_console: {{pattern: "login: ", within: 60s}}
      - power_cycle: {{off_time: 600ms{arguments}}}
"""
FASTER = "firmware: {bootdelay: 0}, system: {boot_time: 100ms}"


def played(folder: Path, faults: str, arguments: str = "", *, more: str = "") -> dict[str, object]:
    """Cycle the power of a simulated board that has booted, and return the case."""
    (folder / "recipe.yaml").write_text(RECIPE.format(arguments=arguments), encoding="utf-8")
    (folder / "lab.yaml").write_text(
        f"benches:\n  rack-1:\n    devices:\n"
        f"      board: {{driver: sim, {FASTER}{more}, faults: {{{faults}}}}}\n",
        encoding="utf-8",
    )
    done = runner(folder, "play", "recipe.yaml", "-i", "lab.yaml")
    result = json.loads((folder / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    assert done.returncode == {"passed": 0, "error": 3}[result["cases"][0]["outcome"]], done.stdout
    case: dict[str, object] = result["cases"][0]
    return case


def blamed(case: dict[str, object]) -> str:
    """Return the sentence of a case that the lab is blamed for."""
    problem = case["problem"]
    assert isinstance(problem, dict)
    assert (case["outcome"], problem["blame"]) == ("error", "lab")
    assert "timed out" not in problem["message"]
    assert problem["evidence"]["bench"] == "rack-1"
    assert problem["evidence"]["device"] == "board.power"
    message: str = problem["message"]
    assert message.startswith("'board.power' on bench 'rack-1' (the simulated board's outlet)")
    return message


def test_a17_a_healthy_outlet_passes(tmp_path: Path) -> None:
    assert played(tmp_path, "")["outcome"] == "passed"


def test_a17_a_stuck_relay_is_an_error_of_the_lab_that_names_the_outlet(tmp_path: Path) -> None:
    case = played(tmp_path, "relay: stuck", ", within: 1s")

    assert "still reads on, 1s after it was switched off" in blamed(case)


@pytest.mark.parametrize("verify", ["auto", "console"])
def test_a17_a_wrong_outlet_is_found_by_the_console_of_a_board_that_talks(
    tmp_path: Path, verify: str
) -> None:
    case = played(tmp_path, "relay: other, log_every: 50ms", f", verify: {verify}", more=", powered: true")

    assert "is switched off, but the board goes on talking" in blamed(case)


def test_a17_a_wrong_outlet_is_found_by_the_first_byte_of_a_board_that_is_quiet(tmp_path: Path) -> None:
    case = played(tmp_path, "relay: other", ", within: 1s", more=", powered: true")

    assert "is switched on, but no console said anything within 1s" in blamed(case)


def test_a17_a_board_that_says_nothing_after_the_cycle_is_found_by_its_first_byte(tmp_path: Path) -> None:
    case = played(tmp_path, "mute_from: 2", ", within: 1s, verify: console")

    assert "is switched on, but no console said anything within 1s" in blamed(case)


def test_a17_a_switch_that_answers_500_is_an_error_of_the_lab(tmp_path: Path) -> None:
    case = played(tmp_path, "outlet_fails: [off]")

    assert blamed(case).endswith(
        "could not be switched off: the simulated outlet answers: 500 Internal Server Error"
    )


def test_a17_a_switch_that_answers_nothing_is_an_error_of_the_lab(tmp_path: Path) -> None:
    case = played(tmp_path, "outlet_hangs: [off]", ", within: 500ms")

    assert "did not answer within 500ms when it was to be switched off" in blamed(case)


def test_a17_a_switch_that_takes_long_passes_after_polling(tmp_path: Path) -> None:
    """With 2 s: that 12 s pass, and 5 s do not, is a test on a clock of its own (test_power_verbs.py)."""
    assert played(tmp_path, "outlet_delay: 2s")["outcome"] == "passed"


def test_a17_a_switch_that_takes_longer_than_its_limit_is_an_error_of_the_lab(tmp_path: Path) -> None:
    case = played(tmp_path, "outlet_delay: 4s", ", within: 1s")

    assert "still reads on, 1s after it was switched off" in blamed(case)
