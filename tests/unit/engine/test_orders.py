from pathlib import Path

import pytest
from support.playing import play_text, recipe_of

from runner.agent.calls import Configure, Run, Take
from runner.result import Logged

INVENTORY = """\
vars: {{pause: 1s}}
benches:
  b:
    devices:
      power: {{driver: command, turn_on: "true", turn_off: "true"}}
    on_release: {steps}
"""


def orders(folder: Path, steps: str) -> tuple[tuple[Run, ...], list[str]]:
    """Play a step on a bench with these steps of on_release; return its orders, and what was warned of."""
    played = play_text(folder, recipe_of("{power_on: }"), inventory=INVENTORY.format(steps=steps))
    (take,) = (each for each in played.link.asked if isinstance(each, Take))
    assert isinstance(take.configure, Configure)
    assert not [each for each in played.link.asked if isinstance(each, Configure)]
    warned = [each.text for each in played.events if isinstance(each, Logged) and each.level == "warning"]
    return take.configure.orders, warned


def test_modules_of_on_release_are_made_ready_for_the_agent(tmp_path: Path) -> None:
    (cycle, off), warned = orders(
        tmp_path, '[{power_cycle: {off_time: "{{ pause }}"}}, {log: bye}, {power_off: }]'
    )

    assert (cycle.path, cycle.bench, cycle.devices["power"]) == (
        "runner.modules.power.power_cycle:PowerCycle",
        "b",
        "power",
    )
    assert (cycle.arguments["off_time"], off.path) == (1.0, "runner.modules.power.power_off:PowerOff")
    assert warned == []


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("{power_off: , when: 1 > 0}", "power_off: it is no plain module"),
        ("{block: [{power_off: }]}", "block: it is no plain module"),
        ("{power_off: , loop: [1, 2]}", "power_off: it is no plain module"),
    ],
)
def test_what_only_the_controller_can_judge_is_left_out_and_said(tmp_path: Path, step: str, why: str) -> None:
    found, warned = orders(tmp_path, f"[{step}]")

    assert found == ()
    assert warned == [f"on_release of bench b, if this run should vanish, goes without {why}"]
