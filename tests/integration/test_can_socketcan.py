"""The driver `can` on the kernel's CAN: two cards on one bus, vcan, and can-utils as the other side."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.lab_vm import modprobe
from support.plain_context import PlainContext

from runner.api import ByteString, CanBus, CanFilter, CanFrame, Duration, LabError, Unsupported
from runner.modules.can import link
from runner.modules.can.can import Can

pytestmark = pytest.mark.labvm
SECOND = Duration(1)
LIMIT = 100.0
"""Seconds after which a test gives up: the VM is slow."""


@pytest.fixture(scope="module", autouse=True)
def kernel() -> Iterator[None]:
    modprobe("vcan", "can-raw", "can-bcm", "kvaser_pci")
    ip("link", "set", "can1", "down")
    ip("link", "set", "can1", "up", "type", "can", "bitrate", "500000")
    ip("link", "add", "vcan0", "type", "vcan")
    ip("link", "set", "vcan0", "up")
    yield
    ip("link", "delete", "vcan0")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def cansend(card: str, frame: str) -> None:
    subprocess.run(["cansend", card, frame], check=True)


@contextmanager
def opened(channel: str, **options: object) -> Iterator[Can]:
    bus = Can(interface="socketcan", channel=channel, **options)
    bus.open()
    try:
        yield bus
    finally:
        bus.close()
        for path in bus.artifacts().values():
            path.unlink()


@contextmanager
def candump(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Have candump listen; it does once the kernel lists it."""
    before = listeners()
    with subprocess.Popen(["candump", *arguments], stdout=subprocess.PIPE, text=True) as dump:
        limit = time.monotonic() + LIMIT
        while listeners() <= before:
            assert time.monotonic() < limit, "candump does not listen"
        yield dump


def listeners() -> int:
    return Path("/proc/net/can/rcvlist_all").read_text(encoding="ascii").count(" raw\n") + Path(
        "/proc/net/can/rcvlist_all"
    ).read_text(encoding="ascii").count("raw ")


def frame_after(bus: CanBus, number: int) -> CanFrame:
    frame = bus.next(number, LIMIT, PlainContext())
    assert frame is not None
    return frame


def test_the_driver_sets_the_bit_timing_and_candump_sees_what_it_sends() -> None:
    ip("link", "set", "can0", "down")
    with opened("can0", bitrate=500000, sample_point=75.0) as bus:
        found = link.look("can0")
        assert (found.kind, found.up, found.timing["bitrate"]) == ("can", True, 500000)
        assert found.timing["sample_point"] == 75.0
        with candump("-L", "-n", "3", "can1") as dump:
            bus.send(CanFrame(0x123, ByteString("DE AD BE EF")), SECOND)
            bus.send(CanFrame(0x18DAF110, ByteString("02 3E 00"), extended=True), SECOND)
            bus.send(CanFrame(0x7FF, ByteString(""), remote=True, dlc=3), SECOND)
            output, _ = dump.communicate(timeout=LIMIT)

    assert [line.split()[2] for line in output.splitlines()] == ["123#DEADBEEF", "18DAF110#023E00", "7FF#R3"]


def test_a_sample_point_that_the_clock_cannot_give_is_refused_with_the_nearest() -> None:
    with pytest.raises(LabError, match=r"can0 has a sample_point of 75\.0 when told 80\.0") as caught:
        Can(interface="socketcan", channel="can0", bitrate=500000, sample_point=80.0).open()
    assert caught.value.hint == "write sample_point: 75.0, or leave it out"


def test_a_frame_of_another_card_comes_with_the_kernels_time() -> None:
    with opened("can0", bitrate=500000) as bus:
        before = time.monotonic()
        cansend("can1", "456#0102")
        frame = frame_after(bus, 0)
        assert (frame.id, frame.data, frame.sent) == (0x456, b"\x01\x02", False)
        assert before <= frame.time <= time.monotonic()
        info = bus.info()
        assert (info["state"], info["overruns"], info["received"]) == ("active", 0, 1)


def test_another_bit_rate_is_set_where_it_differs_and_listening_is_the_kernels() -> None:
    with opened("can0", bitrate=250000, listen_only=True, log="none"):
        timing = link.look("can0").timing
        assert (timing["bitrate"], timing["listen_only"]) == (250000, True)
    ip("link", "set", "can0", "down")
    ip("link", "set", "can0", "type", "can", "listen-only", "off")


def test_the_log_is_what_candump_logs() -> None:
    with candump("-L", "-n", "4", "vcan0") as dump:
        with opened("vcan0") as bus:
            bus.send(CanFrame(0x100, ByteString("AA")), SECOND)
            cansend("vcan0", "101#BB")
            cansend("vcan0", "00001234#")
            frame_after(bus, 2)
            bus.send(CanFrame(0x102, ByteString("CC")), SECOND)
            log = next(iter(bus.artifacts().values()))
            bus.close()
            own = log.read_text(encoding="ascii")
            bus.open()
        output, _ = dump.communicate(timeout=LIMIT)

    assert [line.split()[2] for line in own.splitlines()] == [line.split()[2] for line in output.splitlines()]


def test_what_other_programs_of_this_machine_send_is_received() -> None:
    with opened("vcan0") as bus:
        cansend("vcan0", "321#11")
        assert frame_after(bus, 0).id == 0x321
        number = bus.send(CanFrame(0x322, ByteString("")), SECOND)
        cansend("vcan0", "323#")
        assert frame_after(bus, number).id == 0x323


def test_the_kernel_sends_periodic_frames_and_they_are_recorded_as_ours() -> None:
    with opened("vcan0") as bus, candump("-L", "-n", "6", "vcan0") as dump:
        task = bus.send_periodic(
            [CanFrame(0x55, ByteString("01")), CanFrame(0x55, ByteString("02"))], Duration("20ms"), None
        )
        output, _ = dump.communicate(timeout=LIMIT)
        assert task.running
        assert task.stop() is None
        cansend("vcan0", "600#")
        last = frame_after(bus, 0)
        ours = [bus.find(number) for number in range(1, last.number)]

    assert [line.split()[2] for line in output.splitlines()] == ["055#01", "055#02"] * 3
    assert last.id == 0x600
    assert {(each.id, each.sent) for each in ours if each is not None} == {(0x55, True)}


def test_the_kernel_filters() -> None:
    with opened("vcan0") as bus:
        bus.filter([CanFilter(0x700, 0x7F0, extended=False)])
        for frame in ("100#", "70F#", "00000700#", "701#"):
            cansend("vcan0", frame)
        first = frame_after(bus, 0)
        assert (first.id, frame_after(bus, first.number).id) == (0x70F, 0x701)


@pytest.mark.parametrize(
    ("frame", "state", "counter"),
    [
        ("20000004#0020000000000000", "passive", None),
        ("20000040#0000000000000000", "bus-off", "bus_off"),
        ("20000004#0001000000000000", "active", "controller_overruns"),
    ],
)
def test_error_frames_are_counted_and_tell_the_state(frame: str, state: str, counter: str | None) -> None:
    with opened("vcan0") as bus:
        cansend("vcan0", frame)
        got = frame_after(bus, 0)
        info = bus.info()

    assert got.error
    assert (info["state"], info["errors"]) == (state, 1)
    assert counter is None or info[counter] == 1


def test_a_bus_off_that_the_controller_leaves_is_active_again() -> None:
    with opened("vcan0") as bus:
        cansend("vcan0", "20000040#0000000000000000")
        cansend("vcan0", "20000100#0000000000000000")
        frame_after(bus, frame_after(bus, 0).number)
        assert (bus.info()["state"], bus.info()["bus_off"]) == ("active", 1)


def test_every_frame_of_a_burst_is_sent_through_a_short_queue() -> None:
    """The kernel says ENOBUFS when more frames come than its queue holds.

    The emulated bus has no bit rate, and a card that receives no room for a burst: so the sender counts.
    """
    with opened("can0", bitrate=500000, log="none") as bus:
        ip("link", "set", "can0", "txqueuelen", "1")
        before = transmitted("can0")
        for number in range(300):
            bus.send(CanFrame(0x200, ByteString(number.to_bytes(2, "big"))), Duration(LIMIT))
        limit = time.monotonic() + LIMIT
        while transmitted("can0") < before + 300 and time.monotonic() < limit:
            time.sleep(0.05)
        ip("link", "set", "can0", "txqueuelen", "10")

        assert transmitted("can0") == before + 300


def transmitted(card: str) -> int:
    return int(Path(f"/sys/class/net/{card}/statistics/tx_packets").read_text(encoding="ascii"))


def test_a_card_that_goes_away_is_told_to_whoever_waits_and_sends() -> None:
    with opened("can0", bitrate=500000, log="none") as bus:
        ip("link", "set", "can0", "down")
        with pytest.raises(LabError, match="cannot receive from CAN bus socketcan can0: .*Network is down"):
            bus.next(0, LIMIT, PlainContext())
        with pytest.raises(LabError, match="cannot send 0x1 on CAN bus socketcan can0: .*Network is down"):
            bus.send(CanFrame(1, ByteString("")), SECOND)


def test_a_virtual_interface_has_no_bit_rate() -> None:
    with pytest.raises(Unsupported, match="vcan0 is a vcan interface, which has no bitrate"):
        Can(interface="socketcan", channel="vcan0", bitrate=500000).open()
