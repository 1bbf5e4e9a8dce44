"""Frames as recipes write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import ByteString, CanFilter, CanFrame, Misfit, Options, arg
from runner.api.frames import EXTENDED, STANDARD, frame_misfit

FIELDS = ("id", "data", "extended", "remote", "fd", "bitrate_switch", "dlc")
"""What a frame has, in the order of `Frame`."""


class Frame(Options):
    """A frame to be sent."""

    id: int = arg(help="its identifier", minimum=0, maximum=EXTENDED)
    data: ByteString = arg(default=ByteString(""), help='its bytes: "01 02", or a list of numbers')
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )
    remote: bool = arg(default=False, help="a remote frame: it asks for data and has none")
    fd: bool = arg(default=False, help="a CAN FD frame, of up to 64 bytes")
    bitrate_switch: bool = arg(default=False, help="CAN FD: send the data at the data bit rate")
    dlc: int | None = arg(default=None, help="how many bytes a remote frame asks for", minimum=0, maximum=64)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say why no bus can carry it."""
        misfit = frame_misfit(made(given))
        if misfit is not None:
            yield misfit


class Filter(Options):
    """Which frames are let through."""

    id: int = arg(help="the identifier", minimum=0, maximum=EXTENDED)
    mask: int = arg(
        default=EXTENDED, help="the bits of the identifier that count", minimum=0, maximum=EXTENDED
    )
    extended: bool | None = arg(
        default=None, help="whether the identifier has 29 bits; left out: when it is above 0x7FF"
    )


def made(values: Mapping[str, Any]) -> CanFrame:
    """Return a frame of the values of `Frame`.

    >>> made({"id": 0x800, "data": ByteString("01")}).extended
    True
    """
    told = values.get("extended")
    return CanFrame(
        id=values["id"],
        data=ByteString(values.get("data", b"")),
        extended=values["id"] > STANDARD if told is None else told,
        remote=values.get("remote", False),
        fd=values.get("fd", False),
        bitrate_switch=values.get("bitrate_switch", False),
        dlc=values.get("dlc"),
    )


def frame_of(frame: object) -> CanFrame:
    """Return a frame of anything that has the fields of `Frame`."""
    return made({name: getattr(frame, name) for name in FIELDS})


def filters_of(written: Iterable[Filter]) -> tuple[CanFilter, ...]:
    """Return the filters of a bus for those of a recipe."""
    return tuple(
        CanFilter(each.id, each.mask, each.id > STANDARD if each.extended is None else each.extended)
        for each in written
    )


def shown(frame: CanFrame) -> str:
    """Write a frame for a person.

    >>> shown(CanFrame(0x456, ByteString("41 02")))
    '0x456 [41 02]'
    """
    kind = " extended" if frame.extended and frame.id <= STANDARD else ""
    what = f"remote {frame.dlc or 0}" if frame.remote else str(frame.data)
    return f"0x{frame.id:X} [{what}]{kind}"
