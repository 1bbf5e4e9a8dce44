"""Variables of benches: the layers that define them, and the `bench` object of templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runner.document import Node, Scalar, plain
from runner.errors import Faults
from runner.inventory.groups import Groups
from runner.inventory.vars_files import VarsFiles
from runner.inventory.written import Written, definitions
from runner.model import Bench, Definition


class Layers:
    """Who defines what: the inventory, groups, benches, and the files beside."""

    def __init__(self, written: Written, groups: Groups, files: VarsFiles, faults: Faults) -> None:
        """Read the variables of all layers."""
        self._groups = groups
        self._inventory = (*written.variables, *files.of_group("all", "inventory vars"))
        self._of_group = {
            name: (
                *definitions(piece.node.get("vars"), f"group {name}", faults),
                *files.of_group(name, f"group {name}"),
            )
            for name, piece in written.groups.items()
        }
        self._of_bench = {
            name: (
                *definitions(piece.node.get("vars"), f"bench {name}", faults),
                *files.of_bench(name, f"bench {name}"),
            )
            for name, piece in written.benches.items()
        }
        self._refuse_quarrels(written.benches, faults)

    def of(self, bench: str) -> tuple[Definition, ...]:
        """Return the definitions for a bench, in order of rising precedence."""
        of_groups = [each for group in self._groups.of(bench) for each in self._of_group[group]]
        return (*self._inventory, *of_groups, *self._of_bench[bench])

    def _refuse_quarrels(self, benches: Iterable[str], faults: Faults) -> None:
        """Note unrelated groups that give one bench different values, once for each pair."""
        told: set[tuple[str, str, str]] = set()
        for bench in benches:
            for first, second in self._quarrels(bench):
                key = (first.layer, second.layer, first.name)
                if key not in told:
                    told.add(key)
                    _tell(bench, first, second, faults)

    def _quarrels(self, bench: str) -> Iterator[tuple[Definition, Definition]]:
        settled = {each.name for each in self._of_bench[bench]}
        by_name: dict[str, dict[str, Definition]] = {}
        for group in self._groups.of(bench):
            for each in self._of_group[group]:
                if each.name not in settled:
                    by_name.setdefault(each.name, {})[group] = each
        for given in by_name.values():
            nearest = [group for group in given if not self._groups.parts[group] & given.keys()]
            first = given[nearest[0]]
            others = (given[group] for group in nearest[1:])
            yield from ((first, other) for other in others if not _same(first.node, other.node))


def _same(first: Node, second: Node) -> bool:
    return repr(plain(first)) == repr(plain(second))


def _tell(bench: str, first: Definition, second: Definition, faults: Faults) -> None:
    message = (
        f"{first.layer} and {second.layer} give bench {bench!r} different values of {first.name!r}:"
        f" {_shown(first.node)} and {_shown(second.node)}"
    )
    faults.add(
        "E416",
        message,
        at=second.node.at,
        hint="make one group part of the other, or write the value at the bench",
        chain=((f"{first.layer} defines it here", first.node.at),),
    )


def _shown(node: Node) -> str:
    if isinstance(node, Scalar):
        return "a secret" if node.secret else repr(node.value)
    return "a list or mapping"


def bench_names(bench: Bench) -> Mapping[str, Any]:
    """Return the `bench` object of templates; `devices` tells the driver of each, or its alias."""
    return {
        "name": bench.name,
        "index": bench.index,
        "host": bench.host.name,
        "labels": dict(bench.labels),
        "groups": bench.groups,
        "devices": {
            name: {"driver": device.driver.name} if device.driver else {"ref": device.ref}
            for name, device in bench.devices.items()
        },
    }
