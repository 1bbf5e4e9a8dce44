"""A supply that is switched by a program, as a rig of the contract: a shell script with moods."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.power_rigs.rig import Opener, Rig

from runner.modules.power.command import Command


def command(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    folder: Path = request.getfixturevalue("tmp_path")
    relay, mood = folder / "relay", folder / "mood"
    relay.write_text("off", encoding="utf-8")
    mood.touch()
    driver = Command(
        turn_on=f". {mood}; echo on > {relay}",
        turn_off=f". {mood}; echo off > {relay}",
        tell_state=f"cat {relay}",
        tell_reading='echo \'{"voltage": 12, "current": 0.5}\'',
        force_off_by=f". {mood}; echo off > {relay}",
        cycle_by=f". {mood}; echo off > {relay}; echo on > {relay}",
    )
    opened(driver)

    def says(text: str) -> None:
        mood.write_text(text, encoding="utf-8")

    return Rig(
        power=driver,
        named=str(relay),
        stick=lambda: says("exit 0"),
        refuse=lambda: says("echo outlet is locked >&2; exit 3"),
        stall=lambda: says("sleep 1000"),
    )
