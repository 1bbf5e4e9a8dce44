"""Instruments of several parts, other names for them, and what becomes of a driver without its library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import runner

ODD = '''"""A driver whose library is nowhere."""

from runner.api import Driver, Power


class Odd(Driver, Power):
    """A switch of a maker whose library is nowhere."""

    def open(self) -> None:
        """Need the library."""
        import library_of_a_maker_that_is_nowhere

    def on(self) -> None:
        """Do nothing."""

    def off(self) -> None:
        """Do nothing."""
'''
LAB = """
benches:
  desk:
    devices:
      board: {driver: sim}
      odd: {driver: odd}
      main: {ref: board.power}
      whole: {ref: board}
      again: {ref: whole.console}
"""
RECIPE = """
benches: desk
tests:
  - test: every name leads to the same
    steps:
      - power_on: {device: main}
      - power_info: {device: whole}
        expect: result.state == 'on'
      - power_off: {device: whole.power}
      - assert_device: {device: board, capabilities: [power, Console]}
      - assert_device: {device: again, capabilities: console}
  - test: all are listed
    steps:
      - bench_devices:
        register: all
        expect:
          - all.devices | map(attribute='name') | list == ['board', 'odd']
          - all.devices[0].aliases == ('main (board.power)', 'whole', 'again (board.console)')
          - all.devices[0].children.power == ('Power',) and all.devices[1].capabilities == ('Power',)
      - bench_devices: again
        expect: result.devices[0].name == 'board' and result.devices | length == 1
  - test: lacks
    steps:
      - assert_device: {device: main, capabilities: [power, storage_mux]}
  - test: has no library
    steps:
      - assert_device: {device: odd}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "odd.py").write_text(ODD, encoding="utf-8")
    (tmp_path / "lab.yaml").write_text(LAB, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_names_lead_to_devices_and_parts_and_only_the_use_of_a_broken_one_fails(desk: Path) -> None:
    done = runner(desk, "play", "recipe.yaml", "-i", "lab.yaml", RUNNER_LOCKS=str(desk / "locks"))

    result = json.loads((desk / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    cases = {case["case"].partition("::")[2].partition("@")[0]: case for case in result["cases"]}
    assert {name: case["outcome"] for name, case in cases.items()} == {
        "every name leads to the same": "passed",
        "all are listed": "passed",
        "lacks": "error",
        "has no library": "error",
    }, done.stdout
    lacks, broken = cases["lacks"]["problem"], cases["has no library"]["problem"]
    assert lacks["message"] == "'board.power' on bench 'desk' does not offer storage_mux: it offers Power"
    assert lacks["evidence"]["missing"] == ["storage_mux"]
    assert (lacks["blame"], broken["blame"]) == ("lab", "lab")
    assert "library_of_a_maker_that_is_nowhere" in broken["message"]


def test_a_circle_and_a_dangling_name_are_found_as_the_inventory_is_read(desk: Path) -> None:
    text = (
        LAB.replace("{ref: board.power}", "{ref: round}")
        + "      round: {ref: main}\n      far: {ref: bord}\n"
    )
    (desk / "lab.yaml").write_text(text, encoding="utf-8")

    checked = runner(desk, "check", "recipe.yaml", "-i", "lab.yaml")

    assert checked.returncode == 2
    assert (
        "lab.yaml:7:19: error[E413]: aliases lead to one another in a circle: main → round → main"
        in checked.stderr
    )
    assert "lab.yaml:11:18: error[E412]: there is no device 'bord' for 'far'" in checked.stderr
