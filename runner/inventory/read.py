"""Reads an inventory: files, folders and programs become hosts and benches, with every fault in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.errors import Fault, Faults, InputError
from runner.inventory.benches import check_meanings, read_bench
from runner.inventory.devices import DeviceReader
from runner.inventory.groups import read_groups
from runner.inventory.hosts import read_hosts
from runner.inventory.program import run_program
from runner.inventory.sources import Run, Source, files_of, read_source
from runner.inventory.variables import Layers
from runner.inventory.vars_files import VarsFiles
from runner.inventory.written import gather
from runner.loader import loads
from runner.model import Inventory
from runner.registry import Registry

_SIMULATED = "benches: {sim: {labels: {board: sim}, devices: {board: {driver: sim}}}}\n"


def read_inventory(paths: Sequence[str], registry: Registry, *, run: Run = run_program) -> Inventory:
    """Read what ``-i`` names, in this order; raise InputError with all that is wrong with it.

    `run` starts the programs that print inventories.
    """
    if not paths:
        raise InputError([Fault(code="E401", message="no inventory is given", hint="-i PATH")])
    faults = Faults()
    sources = [source for path in paths for source in read_source(path, faults, run)]
    faults.raise_if_any()
    return _inventory(sources, tuple(paths), registry)


def default_inventory(registry: Registry) -> Inventory:
    """Return one simulated bench on this machine."""
    node = loads(_SIMULATED, "(default inventory)")
    source = Source(node=node, shown="(default inventory)", folder=Path(), alone=False)
    return _inventory([source], (), registry, beside=())


def find_inventory(recipe_path: str) -> tuple[str, ...]:
    """Return the folder ``inventory/`` beside a recipe, or the nearest one upward that has files."""
    for folder in Path(recipe_path).resolve().parents:
        found = folder / "inventory"
        if files_of(found):
            return (str(found),)
    return ()


def _inventory(
    sources: Sequence[Source],
    paths: tuple[str, ...],
    registry: Registry,
    *,
    beside: Iterable[Source] | None = None,
) -> Inventory:
    faults = Faults()
    written = gather(sources, faults)
    hosts = read_hosts(written.hosts, faults)
    groups = read_groups(written.groups, written.benches, faults)
    files = VarsFiles(sources if beside is None else beside, written.groups, written.benches, faults)
    layers = Layers(written, groups, files, faults)
    devices = DeviceReader(registry, faults)
    benches = {
        name: read_bench(piece, hosts, groups, layers, devices, faults)
        for name, piece in written.benches.items()
    }
    check_meanings(benches, written.groups, faults)
    faults.raise_if_any()
    return Inventory(hosts=hosts, benches=benches, groups=groups.members, paths=paths)
