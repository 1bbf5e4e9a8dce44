"""An inventory becomes hosts, benches and groups; everything that is wrong with it is told at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, InputError, did_you_mean
from runner.inventory.benches import Written, read_benches
from runner.inventory.groups import Group, definitions, layers, members, read_groups, refuse_conflicts
from runner.inventory.hosts import read_hosts
from runner.inventory.source import documents
from runner.loader import load, loads
from runner.model import Bench, Definition, Inventory
from runner.registry import Registry

KEYS = ("hosts", "benches", "groups", "vars")
_DEFAULT = "benches:\n  sim:\n    labels: {board: sim}\n    devices:\n      board: {driver: sim}\n"


def read_inventory(paths: Sequence[str], registry: Registry) -> Inventory:
    """Read and merge inventories, later ones over earlier ones; raise InputError with every fault."""
    found = documents(tuple(paths))
    faults = Faults()
    merged = _merged([node for _path, node in found], faults)
    folders = tuple(dict.fromkeys(path.parent for path, _node in found))
    inventory = _inventory(merged, folders, registry, faults)
    faults.raise_if_any()
    return dataclasses.replace(inventory, paths=tuple(str(path) for path, _node in found))


def default_inventory(registry: Registry) -> Inventory:
    """Return the inventory of those who have none: one simulated bench, here."""
    faults = Faults()
    node = loads(_DEFAULT, "the default inventory")
    inventory = _inventory(_merged([node], faults), (), registry, faults)
    faults.raise_if_any()
    return inventory


def find_inventory(recipe: str) -> tuple[str, ...]:
    """Return the ``inventory/`` folder beside a recipe or above it, when there is one with files in it."""
    start = Path(recipe).resolve().parent
    for folder in (start, *start.parents):
        candidate = folder / "inventory"
        if candidate.is_dir() and any(candidate.glob("*.y*ml")):
            return (str(candidate),)
    return ()


def _merged(nodes: Sequence[Node], faults: Faults) -> dict[str, MapNode]:
    """Merge documents section by section; one bench, host or group in two files is a fault."""
    sections: dict[str, dict[str, Entry]] = {key: {} for key in KEYS}
    for node in nodes:
        if isinstance(node, Scalar) and node.value is None:
            continue
        if not isinstance(node, MapNode):
            faults.add("E400", "an inventory is a mapping with hosts, benches, groups and vars", at=node.at)
            continue
        for entry in node:
            _merge_section(entry, sections, faults)
    at = nodes[0].at
    return {key: MapNode(at, tuple(entries.values()), False) for key, entries in sections.items()}


def _merge_section(entry: Entry, sections: dict[str, dict[str, Entry]], faults: Faults) -> None:
    key = entry.key.text
    if key not in sections:
        hint = did_you_mean(key, KEYS) or f"it has: {', '.join(KEYS)}"
        faults.add("E401", f"an inventory has no key {key!r}", at=entry.key.at, hint=hint)
        return
    if isinstance(entry.value, Scalar) and entry.value.value is None:
        return
    if not isinstance(entry.value, MapNode):
        faults.add("E400", f"{key}: is a mapping", at=entry.value.at)
        return
    for each in entry.value:
        before = sections[key].get(each.key.text)
        if before is not None and key != "vars":
            faults.add(
                "E404", f"{each.key.text!r} is in two files", at=each.key.at, hint=f"first at {before.key.at}"
            )
        sections[key][each.key.text] = each


def _inventory(
    sections: Mapping[str, MapNode], folders: tuple[Path, ...], registry: Registry, faults: Faults
) -> Inventory:
    hosts = read_hosts(sections["hosts"], faults)
    written = read_benches(sections["benches"], hosts, registry, faults)
    if not written:
        faults.add("E409", "the inventory has no bench", at=sections["benches"].at)
    groups = read_groups(sections["groups"], written, faults)
    _beside(folders, "group_vars", groups, faults)
    everywhere = definitions(sections["vars"], "inventory vars", faults)
    beside = {name: _file_vars(folders, "bench_vars", name, faults) for name in written}
    benches = {
        name: _finished(each, everywhere, groups, beside[name], faults) for name, each in written.items()
    }
    return Inventory(
        hosts=hosts,
        benches=benches,
        groups={name: tuple(bench for bench in benches if bench in members(name, groups)) for name in groups},
    )


def _finished(
    written: Written,
    everywhere: tuple[Definition, ...],
    groups: Mapping[str, Group],
    beside: tuple[Definition, ...],
    faults: Faults,
) -> Bench:
    own = (*written.variables, *beside)
    name = written.bench.name
    refuse_conflicts(name, groups, {definition.name for definition in own}, faults)
    above = layers(name, groups)
    shared = tuple(definition for group in above for definition in group.variables)
    return dataclasses.replace(
        written.bench,
        groups=tuple(group.name for group in above),
        variables=(*everywhere, *shared, *own),
    )


def _beside(folders: tuple[Path, ...], kind: str, groups: dict[str, Group], faults: Faults) -> None:
    for folder in folders:
        for file in sorted((folder / kind).glob("*.y*ml")) if (folder / kind).is_dir() else ():
            if file.stem not in (*groups, "all"):
                hint = did_you_mean(file.stem, groups)
                faults.add("E434", f"{kind}/{file.name}: no group {file.stem!r}", hint=hint)
    for name, group in list(groups.items()):
        more = _file_vars(folders, kind, name, faults)
        if more:
            groups[name] = dataclasses.replace(group, variables=(*group.variables, *more))


def _file_vars(folders: tuple[Path, ...], kind: str, name: str, faults: Faults) -> tuple[Definition, ...]:
    found: list[Definition] = []
    for folder in folders:
        for suffix in (".yaml", ".yml"):
            file = folder / kind / f"{name}{suffix}"
            if not file.is_file():
                continue
            try:
                found.extend(definitions(load(str(file)), f"{kind}/{file.name}", faults))
            except InputError as error:
                faults.extend(error)
    return tuple(found)
