"""What a time-out shows: the last lines, and what came nearest to the pattern."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runner.console.pattern import Pattern

_NEAR = 0.6


class Said(NamedTuple):
    """A line and when its end came, in seconds of the console's clock; None when that is not known."""

    line: str
    at: float | None = None


def nearest(patterns: Sequence[Pattern], lines: Iterable[Said]) -> Said | None:
    """Return the line that is most like one of the patterns, the last of several; None when none is.

    >>> nearest([Pattern(name="", source="login:")], [Said("boot"), Said("lo[ 3.1] usb 1-1: newgin:", 14.2)])
    Said(line='lo[ 3.1] usb 1-1: newgin:', at=14.2)
    """
    best, found = _NEAR, None
    for said in lines:
        score = max((_likeness(_plain(pattern), said.line) for pattern in patterns), default=0.0)
        if score >= best:
            best, found = score, said._replace(line=said.line[:200])
    return found


def _plain(pattern: Pattern) -> str:
    wanted = pattern.literal.decode("utf-8", "backslashreplace")
    return wanted if len(wanted) >= len(pattern.source) // 2 else pattern.source


def _likeness(wanted: str, line: str) -> float:
    """Return how much of `wanted` is in the line, in its order, little pieces not counted."""
    wanted, line = wanted.strip()[:100].lower(), line.strip()[:400].lower()
    if not wanted or not line:
        return 0.0
    blocks = difflib.SequenceMatcher(None, line, wanted, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 1) / len(wanted)
