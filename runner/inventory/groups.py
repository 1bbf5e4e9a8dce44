"""Groups of benches: members, nesting, and the order in which their variables count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.document import ListNode, MapNode, Node, Scalar
from runner.errors import Faults, Location, did_you_mean
from runner.inventory.names import expand
from runner.model import Definition

_KEYS = ("benches", "groups", "vars")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group as written: its own benches, the groups inside it, its variables."""

    name: str
    at: Location
    benches: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    variables: tuple[Definition, ...] = ()


def read_groups(node: MapNode | None, benches: Mapping[str, object], faults: Faults) -> dict[str, Group]:
    """Read ``groups:`` and check that what they name is there and that none holds itself."""
    groups: dict[str, Group] = {}
    for entry in node or ():
        groups[entry.key.text] = _group(entry.key, entry.value, benches, faults)
    for entry in node or ():
        _check_inner(entry.value, groups, faults)
    for group in groups.values():
        if group.name in inner(group.name, groups):
            faults.add("E431", f"group {group.name!r} holds itself", at=group.at)
            return {name: _flat(each) for name, each in groups.items()}
    return groups


def inner(name: str, groups: Mapping[str, Group]) -> set[str]:
    """Return the names of all groups inside a group, at any depth."""
    found: set[str] = set()
    waiting = list(groups[name].groups) if name in groups else []
    while waiting:
        each = waiting.pop()
        if each not in found and each in groups:
            found.add(each)
            waiting.extend(groups[each].groups)
    return found


def members(name: str, groups: Mapping[str, Group]) -> tuple[str, ...]:
    """Return the benches of a group and of all groups inside it, each once."""
    names = [
        *groups[name].benches,
        *(bench for each in sorted(inner(name, groups)) for bench in groups[each].benches),
    ]
    return tuple(dict.fromkeys(names))


def layers(bench: str, groups: Mapping[str, Group]) -> list[Group]:
    """Return the groups of a bench, outer ones first."""
    own = [name for name in groups if bench in members(name, groups)]
    return [
        groups[name] for name in sorted(own, key=lambda name: (-len(inner(name, groups)), own.index(name)))
    ]


def refuse_conflicts(bench: str, groups: Mapping[str, Group], decided: set[str], faults: Faults) -> None:
    """Refuse two groups, none inside the other, that give one bench different values."""
    given: dict[str, tuple[Group, Definition]] = {}
    for group in layers(bench, groups):
        for definition in group.variables:
            other = given.get(definition.name)
            if (
                other is not None
                and definition.name not in decided
                and _differ(other, group, definition, groups)
            ):
                faults.add(
                    "E432",
                    f"bench {bench!r} gets {definition.name!r} from group {other[0].name!r} and from"
                    f" group {group.name!r}, and they differ",
                    at=definition.node.at,
                    hint=f"the other one is at {other[1].node.at}; set it on the bench to decide",
                )
            given[definition.name] = (group, definition)


def _differ(
    other: tuple[Group, Definition], group: Group, definition: Definition, groups: Mapping[str, Group]
) -> bool:
    from runner.document import plain

    nested = group.name in inner(other[0].name, groups) or other[0].name in inner(group.name, groups)
    return not nested and plain(other[1].node) != plain(definition.node)


def _group(key: Scalar, node: Node, benches: Mapping[str, object], faults: Faults) -> Group:
    name = key.text
    if not isinstance(node, MapNode):
        faults.add("E430", f"group {name!r} is a mapping with benches, groups and vars", at=node.at)
        return Group(name=name, at=key.at)
    for entry in node:
        if entry.key.text not in _KEYS:
            hint = did_you_mean(entry.key.text, _KEYS)
            faults.add("E401", f"a group has no key {entry.key.text!r}", at=entry.key.at, hint=hint)
    if name in benches:
        faults.add("E433", f"{name!r} is a bench and a group", at=key.at)
    return Group(
        name=name,
        at=key.at,
        benches=tuple(_benches(node.get("benches"), benches, faults)),
        groups=tuple(_words(node.get("groups"), faults)),
        variables=definitions(node.get("vars"), f"group {name}", faults),
    )


def _flat(group: Group) -> Group:
    return Group(name=group.name, at=group.at, benches=group.benches, variables=group.variables)


def _check_inner(node: Node, groups: Mapping[str, Group], faults: Faults) -> None:
    listed = node.get("groups") if isinstance(node, MapNode) else None
    for item in listed if isinstance(listed, ListNode) else ():
        if isinstance(item, Scalar) and item.text not in groups:
            faults.add("E434", f"no group {item.text!r}", at=item.at, hint=did_you_mean(item.text, groups))


def _benches(node: Node | None, benches: Mapping[str, object], faults: Faults) -> list[str]:
    found: list[str] = []
    for word, at in _placed(node, faults):
        try:
            names = [name for name, _index in expand(word)]
        except ValueError as error:
            faults.add("E403", str(error), at=at)
            continue
        for name in names:
            if name not in benches:
                faults.add("E435", f"no bench {name!r}", at=at, hint=did_you_mean(name, benches))
        found.extend(name for name in names if name in benches)
    return found


def _words(node: Node | None, faults: Faults) -> list[str]:
    return [word for word, _at in _placed(node, faults)]


def _placed(node: Node | None, faults: Faults) -> list[tuple[str, Location]]:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return []
    if not isinstance(node, ListNode):
        faults.add("E436", "expected a list of names", at=node.at)
        return []
    return [(item.text, item.at) for item in node if isinstance(item, Scalar)]


def definitions(node: Node | None, layer: str, faults: Faults) -> tuple[Definition, ...]:
    """Read a mapping of variables."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return ()
    if not isinstance(node, MapNode):
        faults.add("E437", f"{layer}: vars is a mapping", at=node.at)
        return ()
    for entry in node:
        if not entry.key.text.isidentifier():
            faults.add("E438", f"{entry.key.text!r} cannot be a variable's name", at=entry.key.at)
    return tuple(Definition(name=entry.key.text, node=entry.value, layer=layer) for entry in node)
