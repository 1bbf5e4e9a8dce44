"""Benches: each with its host, labels, variables and devices."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runner.api.values import Duration
from runner.document import MapNode, Node, Scalar
from runner.errors import Faults, did_you_mean
from runner.inventory import words
from runner.inventory.devices import DeviceReader
from runner.inventory.fields import check_name, known_keys, mapping, text, wrong_kind
from runner.inventory.groups import Groups
from runner.inventory.hosts import LOCALHOST
from runner.inventory.variables import Layers
from runner.inventory.written import Piece
from runner.model import Bench, Host


def read_bench(
    piece: Piece,
    hosts: Mapping[str, Host],
    groups: Groups,
    layers: Layers,
    devices: DeviceReader,
    faults: Faults,
) -> Bench:
    """Read one bench; note what is wrong with it."""
    node = piece.node
    known_keys(node, words.BENCH, "a bench", faults)
    return Bench(
        name=piece.name,
        index=piece.index,
        at=piece.at,
        host=_host(node.get("host"), hosts, faults),
        labels=_labels(node.get("labels"), faults),
        groups=groups.of(piece.name),
        variables=layers.of(piece.name),
        devices=devices.read(node.get("devices")),
        recover=node.get("recover"),
        on_acquire=node.get("on_acquire"),
        on_release=node.get("on_release"),
        max_hold=_max_hold(node.get("max_hold"), faults),
        out_of_service=_out_of_service(node.get("enabled"), faults),
    )


def check_meanings(benches: Mapping[str, Bench], groups: Mapping[str, Piece], faults: Faults) -> None:
    """Note words that patterns could take for two things: bench and group, or one of them and a label."""
    for name, piece in groups.items():
        if name in benches:
            faults.add("E406", f"{name!r} is a bench and a group", at=piece.at, hint="rename one of them")
    for bench in benches.values():
        for label in bench.labels:
            if label in benches or label in groups:
                kind = "bench" if label in benches else "group"
                faults.add(
                    "E406",
                    f"{label!r} is a {kind} and a label of bench {bench.name!r}",
                    at=bench.at,
                    hint="rename one of them",
                )


def _host(node: Node | None, hosts: Mapping[str, Host], faults: Faults) -> Host:
    name = LOCALHOST if node is None else text(node, "host", faults)
    if node is not None and name and name not in hosts:
        hint = did_you_mean(name, hosts) or f"describe it in hosts: {{{name}: {{address: …}}}}"
        faults.add("E414", f"no host {name!r}", at=node.at, hint=hint)
    return hosts.get(name) or hosts[LOCALHOST]


def _labels(node: Node | None, faults: Faults) -> dict[str, str]:
    read = mapping(node, "labels", faults)
    labels: dict[str, str] = {}
    for entry in read or ():
        if not check_name(entry.key.text, "label", entry.key.at, faults):
            continue
        if isinstance(entry.value, Scalar) and entry.value.value is None:
            labels[entry.key.text] = ""
        else:
            labels[entry.key.text] = text(entry.value, f"label {entry.key.text!r}", faults)
    return labels


def _max_hold(node: Node | None, faults: Faults) -> Duration | None:
    if node is None:
        return None
    if isinstance(node, Scalar) and isinstance(node.value, (str, int, float)):
        try:
            return Duration(node.value)
        except ValueError:
            pass
    wrong_kind(node, "max_hold", "a duration", faults, hint="write 30m, 2h, 1h30m")
    return None


def _out_of_service(node: Node | None, faults: Faults) -> str:
    if node is None or (isinstance(node, Scalar) and node.value is True):
        return ""
    if not isinstance(node, MapNode):
        hint = 'write enabled: {reason: "why it is out of service", by: who}'
        wrong_kind(node, "enabled", "true, or a mapping that says why not", faults, hint=hint)
        return ""
    known_keys(node, words.ENABLED, "enabled", faults)
    said = {entry.key.text: text(entry.value, entry.key.text, faults) for entry in node}
    if not said.get("reason"):
        _no_reason(node, said, faults)
        return ""
    return f"{said['reason']} ({said['by']})" if said.get("by") else said["reason"]


def _no_reason(node: MapNode, said: Collection[str], faults: Faults) -> None:
    if "reason" not in said:
        faults.add("E417", "a bench that is out of service needs a reason", at=node.at, hint="add reason: …")
