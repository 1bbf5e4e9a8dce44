"""A small lab for tests of inventories: two drivers, and inventories written as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.api import Driver, Duration, Power, Storage, arg, child
from runner.declaration import DriverType
from runner.declare import declare_driver
from runner.errors import Fault, InputError
from runner.inventory.program import Printed
from runner.inventory.read import read_inventory
from runner.model import Inventory
from runner.registry import Registry


class Plug(Driver, Power):
    """A plug with outlets."""

    address: str = arg(help="where it is")
    outlet: int = arg(default=1, help="which outlet", minimum=1, maximum=8)
    delay: Duration = arg(default=Duration(0), help="how long it takes")


class Outlet(Power):
    """The plug of a board."""


class Card(Storage):
    """The card of a board."""


class Board(Driver):
    """A board with a plug and a card."""

    simulated = True

    @child
    def power(self) -> Outlet:
        """Its plug."""
        return Outlet()

    @child
    def storage(self) -> Card:
        """Its card."""
        return Card()


class Shelf(Registry):
    """Knows these two drivers, and counts how often each is asked for."""

    def __init__(self) -> None:
        """Declare them."""
        super().__init__({})
        types = (declare_driver(each, source=__file__, family="test") for each in (Plug, Board))
        self.known = {each.name: each for each in types}

    def driver(self, name: str) -> DriverType | None:
        """Return a declaration."""
        return self.known.get(name)

    def driver_names(self) -> tuple[str, ...]:
        """Return the names of both."""
        return tuple(sorted(self.known))


def never(path: str) -> Printed:
    """Stand in for the running of programs where there are none."""
    raise AssertionError(path)


class Lab:
    """A folder with inventories."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`."""
        self.folder = folder

    def write(self, name: str, text: str) -> str:
        """Write a file; return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def read(self, text: str = "", *names: str) -> Inventory:
        """Read ``lab.yaml`` with this text, or what is called `names`."""
        if text:
            self.write("lab.yaml", text)
        paths = [str(self.folder / name) for name in names or ("lab.yaml",)]
        return read_inventory(paths, Shelf(), run=never)

    def faults(self, text: str = "", *names: str) -> list[Fault]:
        """Return what is wrong with it."""
        with pytest.raises(InputError) as raised:
            self.read(text, *names)
        return list(raised.value.faults)

    def fault(self, text: str = "", *names: str) -> Fault:
        """Return the one thing that is wrong with it."""
        (found,) = self.faults(text, *names)
        return found
