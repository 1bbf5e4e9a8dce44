"""What watchers see, from the first word of it until it is decided whether it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from runner.console.pattern import Pattern
from runner.console.watched import RESET, RESET_LOOP

TAIL = 2.0
"""Seconds of output behind a hit that are told with it."""
_LOOP_TAIL = 4.0
"""The same behind a reset: the next one makes a loop of it."""
_MOST_OTHERS = 4
_LONGEST = 4.5
"""Seconds after the first hit in which it is told, whatever follows."""


@dataclass(frozen=True)
class Alarm:
    """What a watcher has seen.

    `state`: ``seen`` (told at once), then ``sure`` (it counts) or ``nothing`` (`why` says why not).
    `offset` and `log_line` (from 1; 0: unknown) are places in the raw log. `tail`: what was said
    around it and for two seconds after it. `others`: what else was seen meanwhile.
    """

    number: int
    state: Literal["seen", "sure", "nothing"]
    name: str = ""
    title: str = ""
    line: str = ""
    offset: int = 0
    log_line: int = 0
    tail: str = ""
    others: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Watching:
    """What is watched for, and who is told. `allow`: names; `added`: patterns of the recipe's own."""

    tell: Callable[[Alarm], None]
    allow: frozenset[str] = frozenset()
    added: tuple[Pattern, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A line that a watcher knows. `stamped`: it is certainly of the kernel."""

    name: str
    title: str
    line: str
    raw: int
    log_line: int
    at: float
    stamped: bool


@dataclass
class Undecided:
    """Hits that follow one another, until it is decided whether they count."""

    number: int
    hits: list[Hit] = field(default_factory=list)

    @property
    def due(self) -> float:
        """When it is decided."""
        named = self.named
        tail = _LOOP_TAIL if named.name == RESET else TAIL
        return min(named.at + tail, self.hits[0].at + _LONGEST)

    @property
    def named(self) -> Hit:
        """The hit that it is named after: the first, but a loop rather than the resets it is made of."""
        return next((each for each in self.hits if each.name == RESET_LOOP), self.hits[0])

    def alarm(self, state: Literal["seen", "sure"], tail: str = "") -> Alarm:
        """Say it; what followed the first word of it is in `others`."""
        first = self.named
        others = list(dict.fromkeys(f"{each.title}: {each.line}" for each in self.hits))
        others.remove(f"{first.title}: {first.line}")
        if len(others) > _MOST_OTHERS:
            others[_MOST_OTHERS:] = [f"and {len(others) - _MOST_OTHERS} more"]
        return Alarm(
            number=self.number,
            state=state,
            name=first.name,
            title=first.title,
            line=first.line,
            offset=first.raw,
            log_line=first.log_line,
            tail=tail,
            others=tuple(others),
        )
