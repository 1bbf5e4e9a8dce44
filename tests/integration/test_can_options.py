"""What the driver `can` tells python-can's interfaces, and refuses to tell them before the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import can
import pytest
from can.interfaces import BACKENDS
from support.lawicel import Adapters
from support.plain_context import PlainContext

from runner.api import LabError, RecipeFault, Unreachable, Unsupported
from runner.modules.can import link
from runner.modules.can.can import Can
from runner.modules.can.interfaces import WIRES, misfits
from runner.modules.can.timing import arguments

DEFAULTS: dict[str, Any] = {
    "channel": "0",
    "bitrate": None,
    "fd": False,
    "data_bitrate": None,
    "sample_point": None,
    "data_sample_point": None,
    "receive_own_messages": False,
    "listen_only": False,
    "options": {},
}


def told(**options: Any) -> dict[str, Any]:
    return arguments({**DEFAULTS, **options})


def refused(**options: Any) -> dict[str, str]:
    return {misfit.argument: misfit.message for misfit in misfits({**DEFAULTS, **options})}


def test_every_interface_of_python_can_is_known() -> None:
    assert set(BACKENDS) <= set(WIRES)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"interface": "kvaser", "bitrate": 500000, "listen_only": True}, {"bitrate": 500000, "driver_mode": False}),
        ({"interface": "cantact", "listen_only": True}, {"monitor": True}),
        ({"interface": "slcan", "bitrate": 125000, "listen_only": True}, {"bitrate": 125000, "listen_only": True}),
        ({"interface": "pcan", "listen_only": True}, {"state": can.BusState.PASSIVE}),
        ({"interface": "seeedstudio", "listen_only": True}, {"operation_mode": "silent"}),
        ({"interface": "nixnet", "fd": True, "data_bitrate": 2000000}, {"fd": True, "fd_bitrate": 2000000}),
        ({"interface": "virtual", "fd": True}, {"protocol": can.CanProtocol.CAN_FD}),
        ({"interface": "udp_multicast"}, {"fd": False}),
        ({"interface": "socketcan", "bitrate": 500000, "fd": True, "receive_own_messages": True}, {"fd": True, "receive_own_messages": True}),
    ],
)  # fmt: skip
def test_each_interface_is_told_in_its_own_words(
    options: Mapping[str, Any], expected: dict[str, Any]
) -> None:
    assert told(**options) == expected


def test_a_sample_point_becomes_a_bit_timing() -> None:
    timing = told(interface="slcan", bitrate=500000, sample_point=75.0)["timing"]

    assert (timing.f_clock, timing.bitrate, timing.sample_point) == (8_000_000, 500000, 75.0)


def test_pcan_gets_a_bit_timing_for_can_fd_in_any_case() -> None:
    found = told(interface="pcan", bitrate=500000, fd=True, data_bitrate=2000000, data_sample_point=70.0)

    assert set(found) == {"timing"}
    assert (found["timing"].nom_bitrate, found["timing"].data_bitrate) == (500000, 2000000)
    assert found["timing"].data_sample_point == 70.0


def test_a_bit_rate_that_the_clock_cannot_give_is_refused() -> None:
    with pytest.raises(RecipeFault, match="slcan cannot have this bit timing"):
        told(interface="slcan", bitrate=777777, sample_point=75.0)


@pytest.mark.parametrize(
    ("options", "argument", "message"),
    [
        ({"interface": "virtual", "bitrate": 500000}, "bitrate", "the interface virtual takes no bitrate"),
        ({"interface": "gs_usb", "listen_only": True}, "listen_only", "the interface gs_usb takes no listen_only"),
        ({"interface": "kvaser", "data_bitrate": 1}, "data_bitrate", "only CAN FD has a data_bitrate"),
        ({"interface": "pcan", "sample_point": 80.0}, "sample_point", "a sample point is nothing without a bit rate"),
        ({"interface": "slcan", "channel": None}, "interface", "slcan needs a channel"),
        ({"interface": "pcan", "options": {"bitrate": 5}}, "options.bitrate", "bitrate is an option of its own"),
        ({"interface": "slcna"}, "interface", "python-can has no interface 'slcna'"),
    ],
)  # fmt: skip
def test_what_an_interface_cannot_take_is_refused(
    options: Mapping[str, Any], argument: str, message: str
) -> None:
    assert refused(**options) == {argument: message}


def test_options_reach_an_adapter() -> None:
    adapters = Adapters()
    bus = Can(
        interface="slcan",
        channel=adapters.ports[0],
        bitrate=125000,
        listen_only=True,
        log="none",
        options={"sleep_after_open": 0},
    )
    bus.open()
    adapters.wait_open(0)

    assert adapters.commands[adapters.ports[0]][:4] == ["C", "S4", "", "L"]
    assert bus.artifacts() == {}
    bus.close()
    adapters.close()


def test_a_bus_that_only_listens_sends_nothing(tmp_path: Path) -> None:
    from runner.api import ByteString, CanFrame, Duration

    adapters = Adapters()
    bus = Can(
        interface="slcan",
        channel=adapters.ports[0],
        listen_only=True,
        log="none",
        options={"sleep_after_open": 0},
    )
    bus.open()
    with pytest.raises(RecipeFault, match="only listens"):
        bus.send(CanFrame(1, ByteString("")), Duration(1))
    bus.close()
    adapters.close()


def test_a_port_that_is_not_there_is_unreachable() -> None:
    bus = Can(interface="slcan", channel="/dev/nosuch0", bitrate=500000)

    with pytest.raises(Unreachable, match="cannot open CAN bus slcan /dev/nosuch0"):
        bus.open()


def test_an_interface_whose_library_is_missing_says_which() -> None:
    with pytest.raises(Unsupported, match="gs_usb"):
        Can(interface="gs_usb", channel=0, log="none").open()


def test_what_is_no_frame_is_counted_and_the_next_one_is_received() -> None:
    adapters = Adapters()
    bus = Can(interface="slcan", channel=adapters.ports[0], options={"sleep_after_open": 0})
    bus.open()
    adapters.wait_open(0)
    adapters.say(0, b"t12x2\rt12z\rt12320102\r")
    frame = bus.next(0, 30.0, PlainContext())
    bus.close()
    adapters.close()
    for path in bus.artifacts().values():
        path.unlink()

    assert frame is not None
    assert (frame.id, frame.data) == (0x123, b"\x01\x02")
    assert bus.info()["garbled"] == 2


def test_a_port_that_never_says_a_frame_is_no_adapter() -> None:
    adapters = Adapters()
    bus = Can(interface="slcan", channel=adapters.ports[0], log="none", options={"sleep_after_open": 0})
    bus.open()
    adapters.wait_open(0)
    adapters.say(0, b"tWelcome to the boot loader\r" * 100)
    with pytest.raises(LabError, match="100 times in turn it said no frame"):
        bus.next(0, 30.0, PlainContext())
    bus.close()
    adapters.close()


class Ip:
    """A program ``ip`` that answers with a file and notes what it was asked."""

    def __init__(self, folder: Path, state: Mapping[str, Any], fails: str = "") -> None:
        self.asked = folder / "asked"
        (folder / "state.json").write_text(json.dumps([state]), encoding="utf-8")
        (folder / "ip").write_text(
            f'#!/bin/sh\necho "$*" >> {self.asked}\n'
            f'case "$*" in *-json*) cat {folder}/state.json;; *) {fails or "true"};; esac\n',
            encoding="utf-8",
        )
        (folder / "ip").chmod(0o755)

    def lines(self) -> list[str]:
        return self.asked.read_text(encoding="utf-8").splitlines()


def can_link(**timing: Any) -> dict[str, Any]:
    return {
        "flags": ["NOARP", "UP"],
        "linkinfo": {
            "info_kind": "can",
            "info_data": {"state": "ERROR-PASSIVE", "bittiming": timing, "ctrlmode": []},
        },
    }


def test_a_kernel_interface_that_stands_as_asked_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ip = Ip(tmp_path, can_link(bitrate=500000, sample_point=0.875))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = link.prepare("can0", {**DEFAULTS, "bitrate": 500000, "sample_point": 87.0})

    assert found is not None
    assert found.state == "passive"
    assert ip.lines() == ["-details -json link show dev can0"]


def test_a_kernel_interface_with_another_bit_rate_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ip = Ip(tmp_path, can_link(bitrate=250000))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(LabError, match="can0 has a bitrate of 250000 when told 500000"):  # it stays as it was
        link.prepare(
            "can0", {**DEFAULTS, "bitrate": 500000, "fd": True, "data_bitrate": 2000000, "listen_only": True}
        )

    assert ip.lines()[1:4] == [
        "link set can0 down",
        "link set can0 type can bitrate 500000 dbitrate 2000000 fd on listen-only on",
        "link set can0 up",
    ]


def test_a_user_who_may_not_set_it_is_told_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ip(tmp_path, can_link(bitrate=250000), fails="echo 'Operation not permitted' >&2; exit 2")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(
        LabError, match="cannot prepare can0: ip link set can0 down: Operation not permitted"
    ) as caught:
        link.prepare("can0", {**DEFAULTS, "bitrate": 500000})
    assert "ip link set can0 type can bitrate 500000 &&" in caught.value.hint


def test_a_virtual_interface_has_no_bit_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ip(tmp_path, {"flags": ["UP"], "linkinfo": {"info_kind": "vcan"}})
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(Unsupported, match="vcan0 is a vcan interface, which has no bitrate"):
        link.prepare("vcan0", {**DEFAULTS, "bitrate": 500000})
