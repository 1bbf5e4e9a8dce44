"""Parts of console logs as text: stamped, capped, and fit for every file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from runner.report.characters import legal
from runner.report.stamps import stamped, stamps
from runner.result import ConsoleSlice

CAP = 256 * 1024
"""Bytes of console output that a report takes in for one case; the raw log has all of it."""


def console_text(folder: Path, slices: Iterable[ConsoleSlice], cap: int = CAP) -> str:
    """Return what the consoles said during a case, each line with its time.

    What is longer than `cap` bytes is cut in the middle and says so.
    """
    parts = list(slices)
    share = cap // max(1, len(parts))
    return "\n".join(
        f"--- {legal(part.device)} ({legal(part.path)})\n{_text(folder / part.path, part, share)}"
        for part in parts
    )


def _text(path: Path, part: ConsoleSlice, cap: int) -> str:
    try:
        with path.open("rb") as file:
            pieces = [_piece(path, file, start, end) for start, end in _ends(part, cap)]
    except OSError as error:
        return f"(the console's log cannot be read: {error.strerror})"
    whole = b"\n".join(pieces)
    if len(pieces) == 1 and len(whole) <= cap:
        return whole.decode()
    head, tail = pieces[0][: cap // 2], pieces[-1][-(cap // 2) :]
    size = part.end - part.start
    note = f"… the middle of {size} bytes is left out here; all of it is in {legal(part.path)} …"
    return f"{head.decode(errors='ignore')}\n{note}\n{tail.decode(errors='ignore')}"


def _ends(part: ConsoleSlice, cap: int) -> Iterator[tuple[int, int]]:
    if part.end - part.start <= cap:
        yield part.start, part.end
    else:
        yield part.start, part.start + cap // 2
        yield part.end - cap // 2, part.end


def _piece(path: Path, file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    data = file.read(end - start)
    lines = stamped(data, start, stamps(path, start, end))
    return "\n".join(
        legal(f"{clock} {line.decode('utf-8', 'backslashreplace')}".lstrip()) for clock, line in lines
    ).encode()
