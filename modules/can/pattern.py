"""Which frames a recipe expects, and what it reads out of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import BytePattern, ByteString, CanFrame, Misfit, Options, arg
from runner.api.frames import EXTENDED, STANDARD

_RANGE = re.compile(r"(\d{1,2})(?:\.\.(\d{1,2}))?")


class Pattern(Options):
    """A frame that is expected."""

    id: int | None = arg(default=None, help="its identifier; left out: any", minimum=0, maximum=EXTENDED)
    mask: int = arg(
        default=EXTENDED, help="the bits of the identifier that count", minimum=0, maximum=EXTENDED
    )
    data: BytePattern | None = arg(
        default=None, help='its bytes, ?? for any: "41 ?? 00"; left out: whatever they are'
    )
    data_mask: ByteString | None = arg(default=None, help='the bits of the data that count: "FF 0F"')
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say why no frame can match."""
        yield from pattern_misfits(given)

    def matches(self, frame: CanFrame) -> bool:
        """Tell whether a frame is one of these."""
        if frame.error or not self._is_id(frame):
            return False
        return self.data is None or self._is_data(self.data, frame.data)

    def __str__(self) -> str:
        """Write it for a person."""
        name = "any frame" if self.id is None else f"0x{self.id:X}"
        return name + (f" [{self.data}]" if self.data is not None else "")

    def _is_id(self, frame: CanFrame) -> bool:
        if self.id is None:
            return self.extended in {None, frame.extended}
        extended = self.id > STANDARD if self.extended is None else self.extended
        return frame.extended == extended and frame.id & self.mask == self.id & self.mask

    def _is_data(self, pattern: BytePattern, data: bytes) -> bool:
        if self.data_mask is None:
            return pattern.matches(data)
        pairs = pattern.split()
        return len(pairs) == len(data) and all(
            pair == "??" or int(pair, 16) & mask == byte & mask
            for pair, byte, mask in zip(pairs, data, self.data_mask, strict=True)
        )


def pattern_misfits(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Say why no frame can be what is expected."""
    identifier, extended, data, mask = (given.get(each) for each in ("id", "extended", "data", "data_mask"))
    if identifier is not None and identifier > STANDARD and extended is False:
        yield Misfit("id", f"0x{identifier:X} is no standard CAN identifier", "leave out extended: false")
    if data is not None and len(data.split()) > 64:
        yield Misfit("data", "no CAN frame has more than 64 bytes")
    if mask is not None and "data" in given:
        if data is None:
            yield Misfit("data_mask", "data_mask says which bits of 'data' count", "write data:")
        elif len(mask) != len(data.split()):
            yield Misfit("data_mask", f"data_mask has {len(mask)} bytes, data {len(data.split())}")


def captured(ranges: Mapping[str, str], data: bytes) -> dict[str, int]:
    """Return the number in each range of bytes, of those that the data have.

    >>> captured({"rpm": "3..4", "swapped": "4..3", "length": "0"}, bytes.fromhex("04410C1AF8"))
    {'rpm': 6904, 'swapped': 63514, 'length': 4}
    """
    found: dict[str, int] = {}
    for name, text in ranges.items():
        first, last = _ends(text)
        if max(first, last) < len(data):
            step = 1 if last >= first else -1
            places = range(first, last + step, step)
            found[name] = int.from_bytes(bytes(data[place] for place in places), "big")
    return found


def capture_misfits(ranges: Mapping[str, str]) -> Iterable[Misfit]:
    """Say which range is none."""
    for name, text in ranges.items():
        if not _RANGE.fullmatch(text):
            hint = "write 3..4: bytes from 0, the most significant one first; 4..3 the other way round"
            yield Misfit(f"capture.{name}", f"{text!r} is no range of bytes", hint)


def _ends(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no range of bytes")
    return int(match[1]), int(match[2] or match[1])
