"""What a time-out shows: the last lines, and what came nearest to the pattern."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from runner.console.pattern import Pattern

_WINDOW = 2048
_NEAR = 0.6


def nearest(patterns: Sequence[Pattern], text: str) -> str:
    r"""Return the line of the last 2 KiB that is most like one of the patterns; empty when none is.

    >>> nearest([Pattern(name="", source="login:")], "boot\nlo[ 3.1] usb 1-1: newgin:\n")
    'lo[ 3.1] usb 1-1: newgin:'
    """
    lines = text[-_WINDOW:].splitlines()
    scored = [(_likeness(_plain(pattern), line), line) for pattern in patterns for line in lines]
    score, line = max(scored, default=(0.0, ""))
    return line[:200] if score >= _NEAR else ""


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
