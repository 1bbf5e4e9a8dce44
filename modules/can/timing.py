"""The driver's options in the words of one interface of python-can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.api import RecipeFault
from runner.modules.can.interfaces import WIRES, Wire

_SAMPLE_POINT = 87.5
_DATA_SAMPLE_POINT = 75.0
"""Per cent; what CiA 301 and 601-3 recommend, used where only one of the two is given."""


def arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of ``can.Bus`` for the driver's options, without those of the kernel.

    Raise RecipeFault for bit rates and sample points that its clock cannot give.
    """
    interface = options["interface"]
    wire = WIRES.get(interface)
    found = _plain(options, wire)
    if wire is None:
        return found
    if interface == "socketcan":  # the kernel has the bit timing: see `runner.modules.can.link`
        return {name: found[name] for name in ("fd", "receive_own_messages") if name in found}
    timing = _timing(options, wire)
    if timing is not None:
        for name in ("bitrate", "data_bitrate", "fd"):
            found.pop(name, None)
        found["timing"] = timing
    return _worded(found, options, wire)


def _plain(options: Mapping[str, Any], wire: Wire | None) -> dict[str, Any]:
    names = ("bitrate", "data_bitrate", "receive_own_messages", "listen_only")
    found = {name: options[name] for name in names if options[name]}
    if options["fd"] or (wire is not None and options["interface"] == "udp_multicast"):
        found["fd"] = options["fd"]
    return found


def _worded(found: dict[str, Any], options: Mapping[str, Any], wire: Wire) -> dict[str, Any]:
    import can

    quiet = found.pop("listen_only", False)
    if quiet and wire.quiet:
        found.update(wire.quiet)
    elif quiet and options["interface"] in {"pcan", "systec"}:
        found["state"] = can.BusState.PASSIVE
    elif quiet:
        found["listen_only"] = True
    if options["interface"] == "virtual" and found.pop("fd", False):
        found["protocol"] = can.CanProtocol.CAN_FD
    return {wire.renamed.get(name, name): value for name, value in found.items()}


def _timing(options: Mapping[str, Any], wire: Wire) -> Any:
    """Return bit timings for the sample points that are asked for; None to leave them to the interface."""
    fd = options["fd"] and options["data_bitrate"]
    asked = options["sample_point"] or options["data_sample_point"]
    if not any(wire.clocks) or not options["bitrate"] or not (asked or (fd and _needs_timing(options))):
        return None
    import can

    point = options["sample_point"] or _SAMPLE_POINT
    try:
        if not fd:
            return can.BitTiming.from_sample_point(wire.clocks[0], options["bitrate"], point)
        return can.BitTimingFd.from_sample_point(
            wire.clocks[1],
            options["bitrate"],
            point,
            options["data_bitrate"],
            options["data_sample_point"] or _DATA_SAMPLE_POINT,
        )
    except ValueError as error:
        raise RecipeFault(f"{options['interface']} cannot have this bit timing: {error}") from error


def _needs_timing(options: Mapping[str, Any]) -> bool:
    """Tell whether an interface has no other way to be told the rates of CAN FD."""
    return options["interface"] in {"pcan", "slcan"}
