"""What steps ask and tell a CAN bus, on interfaces of python-can."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import can
import pytest
from support.can.silent_bus import SilentBus
from support.command import wait_until
from support.plain_context import PlainContext

from runner.api import ByteString, Duration, LabError, Unsupported
from runner.modules.can.can import Can
from runner.modules.can.can_info import CanInfo
from runner.modules.can.can_periodic import CanPeriodic
from runner.modules.can.can_send import CanSend
from runner.modules.can.can_state import CanState


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Can, SilentBus]]:
    """A bus of an interface that python-can got from elsewhere, and that interface."""
    made: list[SilentBus] = []

    class Known(SilentBus):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setitem(can.interfaces.BACKENDS, "silent", ("support.can.silent_bus", "SilentBus"))
    monkeypatch.setattr("support.can.silent_bus.SilentBus", Known)
    bus = Can(interface="silent", channel=uuid.uuid4().hex)
    bus.open()
    yield bus, made[0]
    bus.close()


@pytest.fixture
def virtual() -> Iterator[Can]:
    bus = Can(interface="virtual", channel=f"drive-{uuid.uuid4().hex}", fd=True)
    bus.open()
    yield bus
    bus.close()


def test_a_bus_is_told_to_listen_only_and_to_forget_what_waits(silent: tuple[Can, SilentBus]) -> None:
    bus, interface = silent
    CanSend(id=0x123, data=ByteString("01"), bus=bus).run(PlainContext())

    assert [each.arbitration_id for each in interface.waiting] == [0x123]
    assert CanState(state="passive", flush_tx=True, bus=bus).run(PlainContext()).state == "passive"
    assert interface.waiting == []
    assert CanInfo(bus=bus).run(PlainContext()).state == "passive"
    assert CanState(state="active", bus=bus).run(PlainContext()).state == "active"


def test_a_send_takes_no_longer_than_it_may(silent: tuple[Can, SilentBus]) -> None:
    bus, interface = silent
    interface.full = True

    with pytest.raises(LabError, match=r"cannot send 0x123 .* within 0.05 s: .*No buffer space"):
        CanSend(id=0x123, timeout=Duration("50ms"), bus=bus).run(PlainContext())


def test_a_bus_that_cannot_is_unsupported_and_named(virtual: Can) -> None:
    with pytest.raises(Unsupported, match=f"cannot change the state of CAN bus virtual {virtual.channel}"):
        CanState(state="passive", bus=virtual).run(PlainContext())


def test_the_info_names_state_protocol_and_channel(virtual: Can) -> None:
    info = CanInfo(bus=virtual).run(PlainContext())

    assert (info.state, info.protocol) == ("active", "CAN_FD")
    assert str(virtual.channel) in info.description


def test_a_periodic_frame_ends_by_itself(virtual: Can) -> None:
    heard = can.Bus(interface="virtual", channel=virtual.channel, fd=True)
    task = CanPeriodic(
        id=0x55, data=ByteString("AA"), period=Duration("5ms"), duration=Duration("300ms"), bus=virtual
    )
    assert task.run(PlainContext()).running
    assert heard.recv(30) is not None
    wait_until(lambda: not CanInfo(bus=virtual).run(PlainContext()).tasks, "its time is over")
    heard.shutdown()
