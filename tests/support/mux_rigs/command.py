"""A mux that is switched by a program, as a rig of the contract: a shell script with moods."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mux_rigs.rig import Opener, Rig

from runner.api import Duration
from runner.modules.storage.command_mux import CommandMux


def command(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    folder: Path = request.getfixturevalue("tmp_path")
    card, position, mood = folder / "card", folder / "position", folder / "mood"
    position.write_text("dut", encoding="utf-8")
    mood.touch()
    script = folder / "mux"
    script.write_text(
        f". {mood}; echo $1 > {position}; rm -f {card}; [ $1 != host ] || echo data > {card}\n",
        encoding="utf-8",
    )
    driver = CommandMux(
        to_host=f"sh {script} host",
        to_dut=f"sh {script} dut",
        to_off=f"sh {script} off",
        tell_position=f"cat {position}",
        medium_at=str(card),
        limit=Duration("5s"),
    )
    opened(driver)

    def says(text: str) -> None:
        mood.write_text(text, encoding="utf-8")

    def stall() -> None:
        driver.limit = Duration("200ms")
        says("sleep 1000")

    return Rig(
        mux=driver,
        positions=("host", "dut", "off"),
        named=str(script),
        stick=lambda: says("exit 0"),
        refuse=lambda: says("echo no such mux >&2; exit 3"),
        stall=stall,
    )
