"""What each of python-can's interfaces can be told (python-can documentation, "CAN Interface Modules")."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from runner.api import Misfit

_RATES = ("bitrate",)
_FD = ("fd", "data_bitrate")
_OWN = ("receive_own_messages",)
_POINT = ("sample_point",)
_POINTS = ("sample_point", "data_sample_point")
_QUIET = ("listen_only",)


@dataclass(frozen=True)
class Wire:
    """How one interface takes the options of the driver.

    `clocks`: Hz of the clock that bit timings are computed for, classic and CAN FD. `renamed`: its
    own words for our options. `quiet`: what makes it listen only, when it has another word for that.
    `libraries`: Python modules that it needs, with Debian's package ("" when there is none).
    """

    takes: frozenset[str]
    clocks: tuple[int, int] = (0, 0)
    renamed: Mapping[str, str] = field(default_factory=dict)
    quiet: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    serial_port: bool = False


def _wire(*takes: Iterable[str], **more: Any) -> Wire:
    return Wire(frozenset(each for group in takes for each in group), **more)


WIRES: Mapping[str, Wire] = {
    "canalystii": _wire(_RATES, _POINT, clocks=(8_000_000, 0), libraries={"canalystii": ""}),
    "cantact": _wire(
        _RATES,
        _POINT,
        _QUIET,
        clocks=(24_000_000, 0),
        renamed={"listen_only": "monitor"},
        libraries={"cantact": ""},
    ),
    "etas": _wire(_RATES, _FD, _OWN),
    "gs_usb": _wire(_RATES, libraries={"gs_usb": ""}),
    "iscan": _wire(_RATES),
    "ixxat": _wire(_RATES, _FD, _OWN),
    "kvaser": _wire(
        _RATES,
        _FD,
        _POINTS,
        _OWN,
        _QUIET,
        clocks=(16_000_000, 80_000_000),
        quiet={"driver_mode": False},
    ),
    "neousys": _wire(_RATES),
    "neovi": _wire(_RATES, _FD, _OWN, libraries={"ics": ""}),
    "nican": _wire(_RATES),
    "nixnet": _wire(
        _RATES,
        _FD,
        _POINTS,
        _OWN,
        clocks=(40_000_000, 40_000_000),
        renamed={"data_bitrate": "fd_bitrate"},
        libraries={"nixnet": ""},
    ),
    "pcan": _wire(_RATES, _FD, _POINTS, _OWN, _QUIET, clocks=(8_000_000, 80_000_000)),
    "robotell": _wire(_RATES, serial_port=True),
    "seeedstudio": _wire(_RATES, _QUIET, quiet={"operation_mode": "silent"}, serial_port=True),
    "serial": _wire(serial_port=True),
    "slcan": _wire(_RATES, _FD, _POINT, _QUIET, clocks=(8_000_000, 80_000_000), serial_port=True),
    "socketcan": _wire(_RATES, _FD, _POINTS, _OWN, _QUIET),
    "socketcand": _wire(),
    "systec": _wire(_RATES, _OWN, _QUIET),
    "udp_multicast": _wire(("fd",), libraries={"msgpack": "python3-msgpack"}),
    "usb2can": _wire(_RATES, _POINT, clocks=(32_000_000, 0)),
    "vector": _wire(_RATES, _FD, _POINTS, _OWN, _QUIET, clocks=(16_000_000, 80_000_000)),
    "virtual": _wire(("fd",), _OWN),
}
"""By the names that python-can 4.5 and newer has for them; socketcan's bit timing is the kernel's."""

_SETTINGS = (
    "bitrate",
    "fd",
    "data_bitrate",
    "sample_point",
    "data_sample_point",
    "receive_own_messages",
    "listen_only",
)


def misfits(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Say which options of the driver an interface cannot take, going by their values."""
    name = given.get("interface")
    if name is None:
        return
    wire = WIRES.get(name)
    if wire is None:
        if name not in _plugged_in():
            near = difflib.get_close_matches(name, WIRES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(WIRES)}"
            yield Misfit("interface", f"python-can has no interface {name!r}", hint)
        return
    for option in _SETTINGS:
        if given.get(option) and option not in wire.takes:
            can = ", ".join(each for each in _SETTINGS if each in wire.takes) or "none of these"
            hint = f"it can be told: {can}; what else it has goes into 'options'"
            yield Misfit(option, f"the interface {name} takes no {option}", hint)
    yield from _together(given, wire)


def _together(given: Mapping[str, Any], wire: Wire) -> Iterable[Misfit]:
    for option in ("data_bitrate", "data_sample_point"):
        if given.get(option) and not given.get("fd", True):
            yield Misfit(option, f"only CAN FD has a {option}", "write fd: true")
    if given.get("sample_point") and "bitrate" in given and not given["bitrate"]:
        yield Misfit("sample_point", "a sample point is nothing without a bit rate", "write bitrate: too")
    if given.get("data_sample_point") and "data_bitrate" in given and not given["data_bitrate"]:
        yield Misfit("data_sample_point", "data_sample_point needs data_bitrate")
    if given.get("interface") == "slcan" and given.get("fd") and given.get("sample_point"):
        yield Misfit("sample_point", "slcan has no command for the sample point of CAN FD", "leave it out")
    if (wire.serial_port or given.get("interface") == "socketcan") and given.get("channel", 0) is None:
        example = "can0" if not wire.serial_port else "/dev/ttyACM0"
        yield Misfit("interface", f"{given['interface']} needs a channel", f"write channel: {example}")
    for option in sorted(set(given.get("options", {})) & {*_SETTINGS, "interface", "channel"}):
        yield Misfit(f"options.{option}", f"{option} is an option of its own", "move it out of 'options'")


def _plugged_in() -> set[str]:
    """Return the interfaces that other distributions bring (python-can, "Plugin Interface")."""
    return {each.name for each in metadata.entry_points(group="can.interface")}
