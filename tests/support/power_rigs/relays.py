"""Relay boards as rigs of the contract."""

from __future__ import annotations

import pytest
from support.power_rigs.rig import Opener, Rig
from support.relay_boards import Coils, Lcus, RtuBoard, SerialBoard, TcpBoard

from runner.api import Duration
from runner.modules.relay.relay_modbus import RelayModbus
from runner.modules.relay.relay_serial import RelaySerial

_LIMIT = Duration("3s")


def modbus_tcp(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    board = TcpBoard()
    request.addfinalizer(board.close)
    driver = RelayModbus(port=board.url, coil=3, timeout=_LIMIT)
    opened(driver)
    return Rig(
        power=driver, named=f"coil 3 of unit 1 at {board.url}", vanish=board.close, **_moods(board.coils)
    )


def modbus_rtu(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    coils = RtuBoard()
    board = SerialBoard(coils.take)
    request.addfinalizer(board.close)
    driver = RelayModbus(port=board.port, coil=0, normally_closed=True, timeout=_LIMIT)
    opened(driver)
    coils.closed[0] = True
    return Rig(power=driver, named=f"coil 0 of unit 1 at {board.port}", **_moods(coils))


def lcus(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    relays = Lcus()
    board = SerialBoard(relays.take)
    request.addfinalizer(board.close)
    driver = RelaySerial(port=board.port, channel=2, channels=2, timeout=_LIMIT)
    opened(driver)

    def feel(mood: str) -> None:
        relays.mood = mood

    return Rig(
        power=driver,
        named=f"relay 2 at {board.port}",
        stick=lambda: feel("stick"),
        stall=lambda: feel("stall"),
    )


def _moods(coils: Coils) -> dict[str, object]:
    def feel(mood: str) -> None:
        coils.mood = mood

    return {each: (lambda mood=each: feel(mood)) for each in ("stick", "refuse", "stall")}
