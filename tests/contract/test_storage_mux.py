"""What every driver that offers StorageMux does.

A driver is added with a rig (`support/mux_rigs/`) and a line in `DRIVERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.mux_rigs.command import command
from support.mux_rigs.rig import Muxed, Rig
from support.mux_rigs.simulated import card
from support.mux_rigs.usb import dutlink, sdwire, usb_sd_mux, usb_sd_mux_classic

from runner.api import Driver, Duration, LabError, MuxPosition, Unreachable, Unsupported
from runner.modules.storage.command_mux import CommandMux
from runner.modules.storage.storage_mux import StorageMux
from runner.modules.storage.storage_mux_info import StorageMuxInfo

DRIVERS = [
    pytest.param(command, id="command_mux"),
    pytest.param(card, id="sim_rpi4"),
    pytest.param(sdwire, id="sdwire", marks=pytest.mark.peer("umockdev")),
    pytest.param(dutlink, id="dutlink", marks=pytest.mark.peer("umockdev")),
    pytest.param(usb_sd_mux, id="usb_sd_mux", marks=pytest.mark.peer("umockdev")),
    pytest.param(usb_sd_mux_classic, id="usb_sd_mux_classic", marks=pytest.mark.peer("umockdev")),
]


@pytest.fixture(params=DRIVERS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:

        def opened(driver: Driver) -> None:
            driver.open()
            stack.callback(driver.close)

        yield request.param(request, opened)


def mood(rig: Rig, name: str) -> Callable[[], None]:
    """Return what puts the rig's peer into a mood; skip the test when it has no such mood."""
    found: Callable[[], None] | None = getattr(rig, name)
    if found is None:
        pytest.skip(f"its peer cannot {name}")
    return found


def blamed(rig: Rig, error: LabError) -> bool:
    """Tell whether an error names the bench, the device and the mux."""
    return "'card' on bench 'rack-1'" in error.message and rig.named in error.message


def move(rig: Rig, position: MuxPosition, *, within: str = "60s", confirm: bool = True) -> MuxPosition | None:
    """Switch it as a recipe does; return where it was."""
    verb = StorageMux(position=position, mux=rig.mux, within=Duration(within), confirm=confirm)
    moved = verb.run(Muxed())
    assert moved.position == position
    return moved.previous


def test_it_goes_to_each_position_that_it_has_and_reads_as_that(rig: Rig) -> None:
    for position in (*rig.positions, *reversed(rig.positions)):
        rig.mux.switch(position)

        assert rig.mux.position() == (position if rig.readable else None)


def test_switching_twice_is_switching_once(rig: Rig) -> None:
    rig.mux.switch("host")
    rig.mux.switch("host")

    assert rig.mux.position() == ("host" if rig.readable else None)


@pytest.mark.parametrize("position", ["host", "dut", "off"])
def test_a_position_that_it_has_not_is_unsupported(rig: Rig, position: MuxPosition) -> None:
    if position in rig.positions:
        rig.mux.switch(position)
        return
    with pytest.raises(Unsupported):
        rig.mux.switch(position)


def test_the_medium_is_there_when_the_host_has_it_and_only_then(rig: Rig) -> None:
    rig.mux.switch("host")
    assert rig.mux.medium().startswith("/")

    rig.mux.switch("dut")
    if rig.follows:
        with pytest.raises(Unreachable):
            rig.mux.medium()


def test_the_verb_says_where_it_was(rig: Rig) -> None:
    rig.mux.switch("dut")

    assert move(rig, "host") == ("dut" if rig.readable else None)
    assert move(rig, "dut") == ("host" if rig.readable else None)


def test_a_mux_that_stays_where_it_is_is_found_by_reading_it_back(rig: Rig) -> None:
    rig.mux.switch("dut")
    mood(rig, "stick")()

    with pytest.raises(LabError, match="reads 'dut', 300ms after it was switched to 'host'") as caught:
        move(rig, "host", within="300ms")
    assert blamed(rig, caught.value)
    assert move(rig, "host", confirm=False) == "dut"


def test_a_mux_that_refuses_is_an_error_that_names_it(rig: Rig) -> None:
    mood(rig, "refuse")()

    with pytest.raises(LabError, match=r"could not be (read|switched to 'host')") as caught:
        move(rig, "host")
    assert blamed(rig, caught.value)


def test_a_mux_that_does_not_answer_is_given_up_after_its_limit(rig: Rig) -> None:
    mood(rig, "stall")()

    with pytest.raises(LabError, match=r"within 200ms|did not end within 200ms|host_status 3") as caught:
        move(rig, "host")
    assert blamed(rig, caught.value)


def test_a_mux_that_has_gone_is_unreachable(rig: Rig) -> None:
    mood(rig, "vanish")()

    with pytest.raises(Unreachable) as caught:
        move(rig, "host")
    assert blamed(rig, caught.value)


def test_what_would_be_done_is_said_and_not_done(rig: Rig) -> None:
    rig.mux.switch("dut")
    said = StorageMux(position="host", mux=rig.mux).predict(Muxed())

    assert said.startswith("would switch 'card' on bench 'rack-1'")
    assert rig.mux.position() == ("dut" if rig.readable else None)
    if rig.readable:
        assert "at 'dut' already" in StorageMux(position="dut", mux=rig.mux).predict(Muxed())


def test_the_info_tells_the_position_and_finds_no_medium_that_the_board_has(rig: Rig) -> None:
    rig.mux.switch("dut")
    info = StorageMuxInfo(mux=rig.mux).run(Muxed())

    assert info.position == ("dut" if rig.readable else None)
    assert info.mux == rig.mux.label()
    if rig.follows:
        assert info.block_device is None


def test_the_info_tells_where_the_medium_is_and_how_much_it_holds(tmp_path: Path) -> None:
    (tmp_path / "card").write_bytes(bytes(4096))
    driver = CommandMux(to_host="true", to_dut="true", medium_at=str(tmp_path / "card"))

    info = StorageMuxInfo(mux=driver).run(Muxed())

    assert (info.position, info.block_device, info.card_size) == (None, str(tmp_path / "card"), 4096)


def test_a_position_that_nobody_understands_is_an_error() -> None:
    driver = CommandMux(to_host="true", to_dut="true", tell_position="echo left", medium_at="/none")

    with pytest.raises(LabError, match="printed 'left', expected host, dut or off"):
        driver.position()
