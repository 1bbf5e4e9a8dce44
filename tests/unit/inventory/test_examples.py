"""The inventories that come with the project can be read together and one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

import runner
from runner.inventory.read import read_inventory
from runner.inventory.select import select
from runner.registry import Registry

FOLDER = Path(runner.__file__).resolve().parents[1] / "inventory"


@pytest.mark.parametrize("name", ["", *(file.name for file in sorted(FOLDER.glob("*.yaml")))])
def test_an_example_can_be_read_and_needs_no_hardware(name: str) -> None:
    inventory = read_inventory([str(FOLDER / name)], Registry.built_in())

    drivers = [device.driver for bench in inventory.benches.values() for device in bench.devices.values()]
    assert inventory.benches
    assert all(
        driver.simulated or driver.slots or driver.family == "servers"
        for driver in drivers
        if driver is not None
    )


def test_simulated_boards_are_selected_by_their_label() -> None:
    inventory = read_inventory([str(FOLDER)], Registry.built_in())

    assert [bench.name for bench in select("board=sim", inventory, None)] == ["sim-01", "sim-02"]
