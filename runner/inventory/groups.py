"""Groups of benches: their members, and which group is part of which."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from runner.errors import Faults, Location, did_you_mean
from runner.inventory import words
from runner.inventory.fields import known_keys, texts
from runner.inventory.ranges import expand, is_range
from runner.inventory.written import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """All groups, parents before their parts; `parts` holds everything below a group."""

    order: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, frozenset[str]]

    def of(self, bench: str) -> tuple[str, ...]:
        """Return the groups that a bench is in, parents first."""
        return tuple(name for name in self.order if bench in self.members[name])


def read_groups(pieces: Mapping[str, Piece], benches: Collection[str], faults: Faults) -> Groups:
    """Read all groups; note unknown members, and groups that are part of themselves."""
    inside = {name: tuple(_inside(piece, pieces, faults)) for name, piece in pieces.items()}
    own = {name: set(_own(piece, benches, faults)) for name, piece in pieces.items()}
    _refuse_circles(inside, pieces, faults)
    parts = {name: frozenset(_below(name, inside)) for name in inside}
    order = sorted(inside, key=lambda name: -len(parts[name]))
    members: dict[str, tuple[str, ...]] = {}
    for name in order:
        everybody = own[name].union(*(own[part] for part in parts[name]))
        members[name] = tuple(bench for bench in benches if bench in everybody)
    return Groups(order=tuple(order), members=members, parts=parts)


def _inside(piece: Piece, pieces: Mapping[str, Piece], faults: Faults) -> Iterator[str]:
    known_keys(piece.node, words.GROUP, "a group", faults)
    for name, at in texts(piece.node.get("groups"), "a group's groups", faults):
        if name in pieces:
            yield name
        else:
            faults.add("E415", f"no group {name!r}", at=at, hint=did_you_mean(name, pieces))


def _own(piece: Piece, benches: Collection[str], faults: Faults) -> Iterator[str]:
    for name, at in texts(piece.node.get("benches"), "a group's benches", faults):
        yield from _meant(name, at, benches, faults)


def _meant(text: str, at: Location, benches: Collection[str], faults: Faults) -> Iterator[str]:
    """Return the benches that a name, range or glob stands for."""
    if not is_range(text) and any(sign in text for sign in "*?["):
        found = fnmatch.filter(benches, text)
        if not found:
            faults.add("E415", f"no bench is called {text!r}", at=at)
        yield from found
        return
    try:
        names = [name.text for name in expand(text)]
    except ValueError as error:
        faults.add("E404", str(error), at=at)
        return
    for name in names:
        if name in benches:
            yield name
        else:
            faults.add("E415", f"no bench {name!r}", at=at, hint=did_you_mean(name, benches))


def _below(name: str, inside: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    waiting = list(inside[name])
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting.extend(inside[part])
    return found - {name}


def _refuse_circles(
    inside: Mapping[str, tuple[str, ...]], pieces: Mapping[str, Piece], faults: Faults
) -> None:
    told: set[str] = set()
    for name in inside:
        way = _way(name, name, inside, frozenset())
        if way and not told & set(way):
            told.update(way)
            at = pieces[name].node.get("groups")
            drawn = " → ".join((*way, name))
            faults.add(
                "E413", f"groups are part of one another in a circle: {drawn}", at=at.at if at else None
            )


def _way(
    start: str, goal: str, inside: Mapping[str, tuple[str, ...]], seen: frozenset[str]
) -> tuple[str, ...]:
    """Return the groups from `start` down to where `goal` is a part, or nothing."""
    for part in inside[start]:
        if part == goal:
            return (start,)
        if part not in seen:
            found = _way(part, goal, inside, seen | {start, part})
            if found:
                return (start, *found)
    return ()
