"""A switch that a person works by hand, as a rig of the contract: the person has moods."""

from __future__ import annotations

import pytest
from support.power_rigs.rig import Opener, Rig

from runner.api import Duration, Person, Unreachable
from runner.modules.power.manual import Manual


class Somebody(Person):
    """Says yes, or no, or nothing."""

    def __init__(self) -> None:
        self.mood = "willing"

    def confirms(self, request: str, within: Duration) -> bool:
        del request
        if self.mood == "away":
            raise Unreachable(f"nobody answered within {within}")
        return self.mood == "willing"

    def withdraw(self) -> None:
        pass


def manual(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    driver, person = Manual(what="the red plug"), Somebody()
    driver.meet(person)
    opened(driver)
    driver.off()

    def feels(mood: str) -> None:
        person.mood = mood

    return Rig(
        power=driver,
        named="the red plug",
        refuse=lambda: feels("unwilling"),
        stall=lambda: feels("away"),
        vanish=lambda: feels("away"),
    )
