"""What consoles say, line by line, each with its bench and time: ``--console``."""

from __future__ import annotations

import time
from collections.abc import Iterator

from runner.agent.calls import ConsoleBytes

_LONGEST = 4096


class ConsoleLines:
    """Puts lines together from the pieces in which they come."""

    def __init__(self) -> None:
        """Have no piece yet."""
        self._partial: dict[tuple[str, str], bytes] = {}
        self._prefix: dict[tuple[str, str], str] = {}

    def add(self, chunk: ConsoleBytes) -> Iterator[tuple[str, str]]:
        """Go through the lines that are complete now, each after its prefix."""
        key = (chunk.bench, chunk.device)
        prefix = (
            f"{time.strftime('%H:%M:%S', time.localtime(chunk.wall_ns // 1_000_000_000))} {chunk.bench} |"
        )
        self._prefix[key] = prefix
        *lines, rest = (self._partial.get(key, b"") + chunk.data).split(b"\n")
        while len(rest) > _LONGEST:
            lines.append(rest[:_LONGEST])
            rest = rest[_LONGEST:]
        self._partial[key] = rest
        yield from ((prefix, _text(line)) for line in lines)
        if chunk.gap:
            yield prefix, f"(console {chunk.device}: {chunk.gap})"

    def rest(self) -> Iterator[tuple[str, str]]:
        """Go through the lines that were never ended."""
        for key, line in self._partial.items():
            if line:
                yield self._prefix[key], _text(line)
        self._partial.clear()


def _text(line: bytes) -> str:
    """Return a line as a terminal would show it in the end: what was overwritten by backspaces is gone."""
    text = line.rstrip(b"\r").decode("utf-8", "backslashreplace")
    if "\b" not in text:
        return text
    found: list[str] = []
    at = 0
    for each in text:
        if each == "\b":
            at = max(at - 1, 0)
        else:
            found[at : at + 1] = each
            at += 1
    return "".join(found)
