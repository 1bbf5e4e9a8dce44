"""Waiting for an ISO-TP message with certain bytes."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from runner.api import BytePattern, ByteString, Context, Duration, TimedOut
from runner.api.diagnostics import Message
from runner.api.isotp import IsoTp

_SHOWN = 8
_LONG = 32
"""Bytes of a message that are shown in an error."""


@dataclass(frozen=True)
class Wanted:
    """What a message has to be: all of it, its first bytes, its length; None for any."""

    data: BytePattern | None = None
    begins: BytePattern | None = None
    length: int | None = None

    def matches(self, data: bytes) -> bool:
        """Tell whether a message is one.

        >>> Wanted(begins=BytePattern("62 ??")).matches(bytes.fromhex("62F19057"))
        True
        """
        first = len(self.begins.split()) if self.begins is not None else 0
        return (
            (self.data is None or self.data.matches(data))
            and (self.begins is None or self.begins.matches(data[:first]))
            and (self.length is None or len(data) == self.length)
        )

    def __str__(self) -> str:
        """Write it for a person."""
        parts = [f"[{self.data}]"] if self.data is not None else []
        parts += [f"[{self.begins} …]"] if self.begins is not None else []
        parts += [f"of {self.length} bytes"] if self.length is not None else []
        return " ".join(("a message", *parts))


def wait_for(link: IsoTp, wanted: Wanted, after: int, within: Duration, context: Context) -> Message:
    """Return the first message numbered above `after` that is wanted; raise TimedOut when none comes."""
    end = time.monotonic() + within
    others: deque[Message] = deque(maxlen=_SHOWN)
    while True:
        found = link.next(after, max(end - time.monotonic(), 0.0), context)
        if found is None:
            raise _missing(wanted, within, others, link.troubles())
        if wanted.matches(found.data):
            return found
        others.append(found)
        after = found.number


def _missing(wanted: Wanted, within: Duration, others: deque[Message], troubles: tuple[str, ...]) -> TimedOut:
    seen = f", but {shown(others[-1].data)}" if others else ", and no other"
    trouble = f"; {troubles[-1]}" if troubles else ""
    return TimedOut(
        f"not {wanted} within {within}{seen}{trouble}",
        evidence={
            "expected": str(wanted),
            "others": [shown(each.data) for each in others],
            "troubles": list(troubles),
            "within": float(within),
            "limit": "within",
        },
    )


def shown(data: ByteString) -> str:
    """Write a message for a person.

    >>> shown(ByteString("7F 22 31"))
    '[7F 22 31]'
    """
    if len(data) <= _LONG:
        return f"[{data}]"
    return f"[{ByteString(data[:_LONG])} … {len(data)} bytes]"
