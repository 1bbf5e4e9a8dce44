"""When which bytes of a console's log were read: the index beside it."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Stamp:
    """The bytes from `offset` on were read at `wall_ns`; `gap` says why there were none."""

    offset: int
    wall_ns: int
    gap: str = ""

    @property
    def clock(self) -> str:
        """Return the time of day here, to the millisecond."""
        seconds, rest = divmod(self.wall_ns, 1_000_000_000)
        return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{rest // 1_000_000:03}"


def entry(stamp: Stamp, monotonic_ns: int) -> bytes:
    """Return a line of the index."""
    found = {"offset": stamp.offset, "monotonic_ns": monotonic_ns, "wall_ns": stamp.wall_ns}
    return json.dumps({**found, "gap": stamp.gap} if stamp.gap else found).encode() + b"\n"


def stamps(log: Path, start: int, end: int) -> list[Stamp]:
    """Return the stamps of a part of a log, beginning with the one that holds for its first byte.

    A log without an index has none.
    """
    try:
        with log.with_suffix(".idx").open("rb") as file:
            return list(_between(file, start, end))
    except FileNotFoundError:
        return []


def _between(file: BinaryIO, start: int, end: int) -> Iterator[Stamp]:
    before: Stamp | None = None
    for stamp in _from_block_of(file, start):
        if stamp.offset > end or (stamp.offset == end and not stamp.gap):
            break
        if stamp.offset < start:
            before = before if stamp.gap else stamp
            continue
        if before is not None and (stamp.offset > start or stamp.gap):
            yield before
        before = None
        yield stamp
    if before is not None:
        yield before


def _from_block_of(file: BinaryIO, start: int) -> Iterator[Stamp]:
    """Find by halves where to begin, and go on from there: the index of a day is long."""
    low, high = 0, file.seek(0, 2)
    while high - low > _BLOCK:
        middle = (low + high) // 2
        found = _parsed(_line_after(file, middle))
        if found is None or found.offset > start:
            high = middle
        else:
            low = middle
    file.seek(low)
    if low:
        file.readline()
    for line in file:
        stamp = _parsed(line)
        if stamp is not None:
            yield stamp


def _line_after(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    file.readline()
    return file.readline()


def _parsed(line: bytes) -> Stamp | None:
    """Return the stamp of a line; the last one of a killed run may be cut off."""
    if not line.endswith(b"\n"):
        return None
    found = json.loads(line)
    return Stamp(found["offset"], found["wall_ns"], found.get("gap", ""))


def stamped(data: bytes, start: int, found: Sequence[Stamp]) -> Iterator[tuple[str, bytes]]:
    """Go through the lines of a part of a log that begins at `start`, each with its time.

    Remarks have lines of their own.
    """
    left = deque(found)
    place, clock = start, ""
    for line in data.split(b"\n"):
        while left and left[0].offset <= place:
            stamp = left.popleft()
            clock = stamp.clock
            if stamp.gap:
                yield clock, _gap(stamp)
        for part in line.rstrip(b"\r").split(b"\r"):
            yield clock, part
        place += len(line) + 1
    yield from ((stamp.clock, _gap(stamp)) for stamp in left if stamp.gap)


def _gap(stamp: Stamp) -> bytes:
    return f"(the console: {stamp.gap})".encode()
