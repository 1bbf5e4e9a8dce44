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

    def add(self, chunk: ConsoleBytes) -> Iterator[tuple[str, str]]:
        """Go through the lines that are complete now, each after its prefix."""
        key = (chunk.bench, chunk.device)
        prefix = (
            f"{time.strftime('%H:%M:%S', time.localtime(chunk.wall_ns // 1_000_000_000))} {chunk.bench} |"
        )
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
        for (bench, _), line in self._partial.items():
            if line:
                yield f"{bench} |", _text(line)
        self._partial.clear()


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "backslashreplace")
