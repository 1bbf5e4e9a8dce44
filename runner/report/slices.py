"""Parts of console logs as text, capped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runner.result import ConsoleSlice

CAP = 256 * 1024
"""Bytes of console output that a report takes in for one case; the raw log has all of it."""


def console_text(folder: Path, slices: Iterable[ConsoleSlice], cap: int = CAP) -> str:
    """Return what the consoles said during a case, cut in the middle and saying so when it is too long."""
    parts = list(slices)
    share = cap // max(1, len(parts))
    return "\n".join(
        f"--- {part.device} ({part.path})\n{_read(folder / part.path, part, share)}" for part in parts
    )


def _read(path: Path, part: ConsoleSlice, cap: int) -> str:
    length = part.end - part.start
    try:
        with path.open("rb") as file:
            file.seek(part.start)
            if length <= cap:
                return _text(file.read(length))
            head = file.read(cap // 2)
            file.seek(part.end - cap // 2)
            tail = file.read(cap // 2)
    except OSError as error:
        return f"(the console's log cannot be read: {error.strerror})"
    left_out = length - len(head) - len(tail)
    return f"{_text(head)}\n… {left_out} bytes left out; all of it is in {part.path} …\n{_text(tail)}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
