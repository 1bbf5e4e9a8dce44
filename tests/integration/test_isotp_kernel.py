"""ISO-TP with the kernel: its sockets under the driver, can-utils and gallia's control unit as the other side."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from support.gallia_ecu import control_unit
from support.lab_vm import modprobe
from support.plain_context import PlainContext

from runner.api import ByteString, Duration, TimedOut, Unsupported
from runner.api.isotp import IsoTpAddress, IsoTpParams
from runner.modules.can.can import Can
from runner.modules.can.isotp import Isotp
from runner.modules.uds.uds import Uds
from runner.modules.uds.uds_read_did import UdsReadDid
from runner.modules.uds.uds_session import UdsSession
from runner.modules.uds.uds_write_did import UdsWriteDid

pytestmark = pytest.mark.labvm
LIMIT = Duration("100s")
LONG = bytes(range(256)) * 8
SOCKETS: list[Literal["python", "kernel"]] = ["python", "kernel"]


@pytest.fixture(scope="module", autouse=True)
def bus() -> Iterator[Can]:
    modprobe("vcan", "can-raw", "can-isotp")
    subprocess.run(["ip", "link", "add", "vcan7", "type", "vcan"], check=True)
    subprocess.run(["ip", "link", "set", "vcan7", "mtu", "72", "up"], check=True)
    opened = Can(interface="socketcan", channel="vcan7", fd=True)
    opened.open()
    yield opened
    opened.close()
    for path in opened.artifacts().values():
        path.unlink()
    subprocess.run(["ip", "link", "delete", "vcan7"], check=True)


@contextmanager
def linked(bus: Can, **options: Any) -> Iterator[Isotp]:
    link = Isotp(address=IsoTpAddress(txid=0x7E0, rxid=0x7E8), bus=bus, **options)
    link.open()
    try:
        yield link
    finally:
        link.close()


def listens(identifier: str) -> bool:
    """Tell whether somebody receives an identifier of vcan7."""
    return any(
        identifier in line.split() for line in Path("/proc/net/can/rcvlist_sff").read_text().splitlines()
    )


def wait_until_heard(identifier: str) -> None:
    limit = time.monotonic() + LIMIT
    while not listens(identifier):
        assert time.monotonic() < limit, f"nobody listens to {identifier}"


@pytest.mark.parametrize("sockets", SOCKETS)
def test_can_utils_receive_what_is_sent_and_send_what_is_received(bus: Can, sockets: Any) -> None:
    context = PlainContext()
    with subprocess.Popen(
        ["isotprecv", "-s", "7E8", "-d", "7E0", "vcan7"], stdout=subprocess.PIPE, text=True
    ) as other:
        wait_until_heard("7e0")
        with linked(bus, socket=sockets) as link:
            link.send(LONG, LIMIT, context)
            heard, _ = other.communicate(timeout=LIMIT)
            subprocess.run(
                ["isotpsend", "-s", "7E8", "-d", "7E0", "vcan7"],
                input=LONG.hex(" "),
                text=True,
                check=True,
                timeout=LIMIT,
            )
            message = link.next(0, LIMIT, context)

    assert bytes.fromhex(heard) == LONG
    assert message is not None
    assert message.data == LONG


def test_the_kernel_says_that_nobody_is_there_and_what_it_cannot(bus: Can) -> None:
    context = PlainContext()
    with linked(bus, socket="auto") as link:
        assert link.settings().socket == "kernel"
        with pytest.raises(TimedOut, match="no flow control came within 1000 ms"):
            link.send(LONG, LIMIT, context)
        with pytest.raises(Unsupported, match="cannot give up a message"):
            link.abort("tx")
        with pytest.raises(Unsupported, match="one control unit only"):
            link.send(b"\x3e\x80", LIMIT, context, functional=True)
    with pytest.raises(Unsupported, match="do not honour max_frame_size"):
        Isotp(
            address=IsoTpAddress(txid=0x7E0, rxid=0x7E8),
            params=IsoTpParams(max_frame_size=100),
            socket="kernel",
            bus=bus,
        ).open()
    with linked(bus, params=IsoTpParams(listen_mode=True), socket="auto") as link:
        assert link.settings().socket == "python"


@pytest.mark.parametrize("sockets", SOCKETS)
def test_padding_and_can_fd_are_the_kernels_too(bus: Can, sockets: Any) -> None:
    params = IsoTpParams(tx_padding=0xCC, can_fd=True, tx_data_length=64)
    before = bus.latest()
    other = Can(interface="socketcan", channel="vcan7", fd=True)
    other.open()
    with linked(bus, socket=sockets, params=params) as link:
        link.send(bytes(range(30)), LIMIT, PlainContext())
        frame = other.next(0, LIMIT, PlainContext())
    other.close()
    for path in other.artifacts().values():
        path.unlink()

    assert before <= bus.latest()
    assert frame is not None
    assert frame.fd
    assert frame.data == b"\x00\x1e" + bytes(range(30))


def test_the_control_unit_of_others_is_diagnosed_over_the_bus(bus: Can, tmp_path: Path) -> None:
    target = "isotp://vcan7?tx_id=0x7e8&rx_id=0x7e0"
    with control_unit(target, tmp_path, lambda: listens("7e0")):
        for sockets in SOCKETS:
            with linked(bus, socket=sockets) as link:
                diagnose(link)


def diagnose(link: Isotp) -> None:
    context = PlainContext()
    uds = Uds(link=link, leeway=LIMIT)
    uds.open()
    written = {"did": 0xF198, "value": "12 34", "uds": uds}
    UdsSession(session="default", uds=uds).run(context)
    UdsWriteDid(**written, expect_negative="serviceNotSupportedInActiveSession").run(context)
    assert UdsSession(session="extended", uds=uds).run(context).session == 3
    UdsWriteDid(**written).run(context)
    assert UdsReadDid(did=0xF186, uds=uds).run(context).data == ByteString("03")
    uds.close()
