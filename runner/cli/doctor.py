"""`runner doctor`: what is wrong with hosts and benches, and what to do about it."""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import click

from runner.agent.calls import Configure, Examine, Look
from runner.api.values import Duration
from runner.api.verdicts import Verdict
from runner.cli.common import duration, find_benches, inventory_option, with_modules_beside
from runner.cli.findings import Finding, of_bench, of_device, of_host, unreachable
from runner.connect.agents import Connect
from runner.errors import Fault, InputError, did_you_mean
from runner.model import Bench, Host, Inventory

_RED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    """A host to look at, with what is known of its benches."""

    host: Host
    benches: tuple[Bench, ...]
    configured: Mapping[str, Configure]


@click.command(epilog="Exit codes: 0 all is well, 1 something is red, 2 the input is wrong.")
@click.argument("names", nargs=-1, metavar="[HOST|BENCH]...")
@inventory_option
@click.option(
    "--within",
    callback=duration,
    default="40s",
    show_default=True,
    metavar="TIME",
    help="How long a host may take to answer.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed."
)
def command(names: tuple[str, ...], inventories: tuple[str, ...], within: Duration, output: str) -> int:
    """Look what is wrong with hosts and their benches; each red line says what to do.

    Whether a host can be reached, and if not, why; its Python, clock, disks, folder of locks and
    policy; whether the device files of the benches are there and may be used, the programs and
    libraries that their drivers need, and who holds what. Nothing is opened, switched or taken.
    Without names, all hosts of the inventory and this machine are looked at, at the same time.

    \b
    Examples:
      runner doctor -i lab.yaml
      runner doctor shelf1 -i lab.yaml
      runner doctor rpi4-01 -i lab.yaml -o json
    """
    inventory = find_benches(inventories, None, with_modules_beside("recipe.yaml"))
    hosts, benches = _meant(names, inventory)
    connect, configured = _prepared(benches, inventories, inventory)
    patients = [
        _Patient(
            host=host,
            benches=tuple(each for each in benches if each.host.name == host.name),
            configured=configured,
        )
        for host in hosts
    ]
    found = _look_at_all(patients, connect, within)
    if output == "json":
        click.echo(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
    else:
        _print(found)
    return _RED if any(each.state == "red" for each in found) else 0


def _meant(names: Sequence[str], inventory: Inventory) -> tuple[list[Host], list[Bench]]:
    """Return the hosts and benches that are meant: a host with all its benches, a bench with its host."""
    from runner.inventory.select import select

    if not names:
        return list(inventory.hosts.values()), list(inventory.benches.values())
    hosts: dict[str, Host] = {}
    benches: dict[str, Bench] = {}
    for name in names:
        if name in inventory.hosts:
            chosen = [each for each in inventory.benches.values() if each.host.name == name]
            hosts[name] = inventory.hosts[name]
        else:
            chosen = list(_selected(name, inventory, select))
            hosts.update({each.host.name: each.host for each in chosen})
        benches.update({each.name: each for each in chosen})
    return list(hosts.values()), list(benches.values())


def _selected(name: str, inventory: Inventory, select: Any) -> Sequence[Bench]:
    try:
        chosen: Sequence[Bench] = select(name, inventory, None)
    except InputError as error:
        near = did_you_mean(name, inventory.hosts)
        if not near:
            raise
        raise InputError([Fault(code="E414", message=f"no host or bench {name!r}", hint=near)]) from error
    return chosen


def _prepared(
    benches: Sequence[Bench], inventories: tuple[str, ...], inventory: Inventory
) -> tuple[Connect, Mapping[str, Configure]]:
    """Return what connects to hosts, and the devices of each bench with their options rendered."""
    from runner.cli.one_bench import plan_benches
    from runner.connect.agents import connector
    from runner.engine.classes import classes_of

    usable = [each.name for each in benches if not each.out_of_service]
    if not usable:
        return connector(dict, hosts=inventory.hosts, classes=tuple), {}
    plan, registry = plan_benches(usable, inventories, recipe=None, extra={})
    configured = {each.bench.name: each.configure for play in plan.plays for each in play.benches}
    return connector(registry.sources, hosts=inventory.hosts, classes=lambda: classes_of(plan)), configured


def _look_at_all(patients: Sequence[_Patient], connect: Connect, within: float) -> list[Finding]:
    """Look at all hosts at the same time, each for `within` seconds at most."""
    told: SimpleQueue[tuple[str, list[Finding]]] = SimpleQueue()
    found: dict[str, list[Finding]] = {each.host.name: [] for each in patients}
    for patient in patients:
        threading.Thread(
            target=lambda it=patient: told.put((it.host.name, list(_look_at(it, connect)))),
            name=f"examining {patient.host.name}",
            daemon=True,
        ).start()
    until = time.monotonic() + within
    for _ in patients:
        try:
            name, findings = told.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        found[name] = findings
    late = f"no answer within {Duration(within)}"
    todo = "is it switched on and on the network? --within gives it more time"
    return [
        finding
        for name, findings in found.items()
        for finding in findings
        or [Finding(host=name, what="reach: time-out", state="red", said=late, todo=todo)]
    ]


def _look_at(patient: _Patient, connect: Connect) -> Iterator[Finding]:
    from runner.engine.cancel import Cancellation

    host, cancel = patient.host.name, Cancellation()
    link = connect(patient.host, _nothing, _nothing)
    began = time.monotonic()
    try:
        link.call(Examine(bench=""), _nothing, cancel=cancel)
        seconds = time.monotonic() - began
        asked = time.time()
        facts = link.call(Examine(bench=""), _nothing, cancel=cancel)
        margin = (time.time() - asked) / 2
        yield from of_host(host, facts, seconds, facts["time"] - asked - margin, margin)
        for bench in patient.benches:
            if bench.out_of_service:
                said = f"out of service: {bench.out_of_service}"
                yield Finding(host=host, bench=bench.name, what="held", state="note", said=said)
                continue
            yield of_bench(host, bench.name, link.call(Look(bench=bench.name), _nothing, cancel=cancel))
            asked_for = Examine(bench=bench.name, devices=patient.configured[bench.name].devices)
            there = link.call(asked_for, _nothing, cancel=cancel)
            for name, fact in there["devices"].items():
                yield from of_device(host, bench.name, name, fact, facts)
    except Verdict as error:
        yield unreachable(host, error)
    finally:
        link.close()


def _print(found: Sequence[Finding]) -> None:
    from runner.report.colours import wanted

    colours = {"ok": "green", "note": "yellow", "red": "red"} if wanted(sys.stdout) else {}
    host = ""
    for each in found:
        if each.host != host:
            host = each.host
            click.echo(host)
        what = f"{each.bench} {each.what}".strip()
        state = click.style(f"{each.state:<4}", fg=colours.get(each.state))
        click.echo(f"  {state}  {what:<24}  {each.said}")
        if each.todo:
            click.echo(f"{'':8}{'':<24}  -> {each.todo}")
    red = sum(each.state == "red" for each in found)
    click.echo("all is well" if not red else f"{red} of {len(found)} things are not as they should be")


def _nothing(_heard: object) -> None:
    """Hear nothing: what is asked here touches no device."""
