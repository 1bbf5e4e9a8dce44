"""Benches of an inventory: one board under test and its instruments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.api.values import Duration
from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, did_you_mean
from runner.inventory.devices import read_devices
from runner.inventory.groups import definitions
from runner.inventory.names import expand
from runner.model import Bench, Definition, Host
from runner.registry import Registry

KEYS = (
    "host",
    "labels",
    "vars",
    "devices",
    "recover",
    "on_acquire",
    "on_release",
    "max_hold",
    "enabled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A bench before its groups are known, and its own variables."""

    bench: Bench
    variables: tuple[Definition, ...]


def read_benches(
    node: MapNode | None, hosts: Mapping[str, Host], registry: Registry, faults: Faults
) -> dict[str, Written]:
    """Read ``benches:``; a range of names makes a bench for each of them."""
    benches: dict[str, Written] = {}
    for entry in node or ():
        try:
            names = expand(entry.key.text)
        except ValueError as error:
            faults.add("E403", str(error), at=entry.key.at)
            continue
        if not isinstance(entry.value, MapNode):
            faults.add("E402", f"bench {entry.key.text!r} is a mapping with devices", at=entry.value.at)
            continue
        _check_keys(entry.value, faults)
        for name, index in names:
            if name in benches:
                faults.add(
                    "E404",
                    f"bench {name!r} is here twice",
                    at=entry.key.at,
                    hint=f"first at {benches[name].bench.at}",
                )
                continue
            benches[name] = _bench(name, index, entry, entry.value, hosts, registry, faults)
    return benches


def _bench(
    name: str,
    index: int,
    entry: Entry,
    node: MapNode,
    hosts: Mapping[str, Host],
    registry: Registry,
    faults: Faults,
) -> Written:
    bench = Bench(
        name=name,
        index=index,
        at=entry.key.at,
        host=_host(node.get("host"), hosts, faults),
        labels=_labels(node.get("labels"), faults),
        devices=read_devices(node.get("devices"), name, registry, faults),
        recover=node.get("recover"),
        on_acquire=node.get("on_acquire"),
        on_release=node.get("on_release"),
        max_hold=_duration(node.get("max_hold"), "max_hold", faults),
        out_of_service=_out_of_service(node.get("enabled"), faults),
    )
    return Written(bench=bench, variables=definitions(node.get("vars"), f"bench {name}", faults))


def _check_keys(node: MapNode, faults: Faults) -> None:
    for entry in node:
        if entry.key.text not in KEYS:
            hint = did_you_mean(entry.key.text, KEYS) or f"it has: {', '.join(KEYS)}"
            faults.add("E401", f"a bench has no key {entry.key.text!r}", at=entry.key.at, hint=hint)


def _host(node: Node | None, hosts: Mapping[str, Host], faults: Faults) -> Host:
    if node is None:
        return hosts["localhost"]
    name = node.text if isinstance(node, Scalar) else ""
    if name in hosts:
        return hosts[name]
    hint = did_you_mean(name, hosts) or "declare it under hosts:"
    faults.add("E405", f"no host {name!r}", at=node.at, hint=hint)
    return hosts["localhost"]


def _labels(node: Node | None, faults: Faults) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        faults.add("E406", "labels is a mapping of words", at=node.at)
        return {}
    labels: dict[str, str] = {}
    for entry in node:
        if isinstance(entry.value, Scalar):
            labels[entry.key.text] = entry.value.text
        else:
            faults.add("E406", f"label {entry.key.text!r} is one word", at=entry.value.at)
    return labels


def _duration(node: Node | None, what: str, faults: Faults) -> Duration | None:
    if node is None:
        return None
    try:
        if isinstance(node, Scalar) and isinstance(node.value, (str, int, float)):
            return Duration(node.value)
        raise ValueError("expected a duration such as 2h")
    except ValueError as error:
        faults.add("E407", f"{what}: {error}", at=node.at)
        return None


def _out_of_service(node: Node | None, faults: Faults) -> str:
    if node is None or (isinstance(node, Scalar) and node.value is True):
        return ""
    if isinstance(node, Scalar) and node.value is False:
        return "switched off in the inventory"
    if isinstance(node, MapNode) and set(node.names()) <= {"reason", "by"} and node.get("reason") is not None:
        reason, by = node.get("reason"), node.get("by")
        who = f" ({by.text})" if isinstance(by, Scalar) and by.text else ""
        return f"{reason.text}{who}" if isinstance(reason, Scalar) else ""
    faults.add("E408", "enabled is true, false or {reason: …, by: …}", at=node.at)
    return ""
