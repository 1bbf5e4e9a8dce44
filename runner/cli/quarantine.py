"""`runner quarantine`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from runner.agent.calls import Inspect, Lift, Quarantine
from runner.agent.quarantine import Notice, StateRequest
from runner.cli.common import find_benches, inventory_option, with_modules_beside
from runner.cli.table import print_rows
from runner.model import Bench, Host


@click.command()
@click.argument("pattern", metavar="BENCH")
@inventory_option
@click.option("--reason", default="", metavar="TEXT", help="Why; who wants to take the bench is told.")
@click.option("--clear", is_flag=True, help="Let it be taken again.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How the answer is printed."
)
def command(pattern: str, inventories: tuple[str, ...], reason: str, clear: bool, output: str) -> int:
    """Keep everybody from taking a bench, or a pattern of benches, until that is cleared.

    The notice lies on the bench's host; `runner list benches` shows it.

    \b
    Examples:
      runner quarantine rpi4-01 --reason 'card reader is loose' -i lab.yaml
      runner quarantine rpi4-01 --clear -i lab.yaml
    """
    from runner.engine.who import ourselves
    from runner.inventory.select import select

    if clear and reason:
        raise click.UsageError("--clear takes no --reason")
    inventory = find_benches(inventories, None, with_modules_beside("recipe.yaml"))
    benches = select(pattern, inventory, None)
    who, why = ourselves(), reason or "set by hand"
    found = {
        bench.name: ask(
            bench,
            inventory.hosts,
            Lift(bench=bench.name) if clear else Quarantine(bench=bench.name, reason=why, who=who),
        )
        for bench in benches
    }
    if output == "json":
        print_rows([_row(name, notice, clear=clear) for name, notice in found.items()], "json")
        return 0
    for line in _lines(found, clear=clear, reason=why):
        click.echo(line)
    return 0


def ask(bench: Bench, hosts: Mapping[str, Host], request: StateRequest) -> Notice | None:
    """Ask a bench's host about its quarantine; raise LabError when it cannot answer."""
    from runner.connect.agents import connector
    from runner.engine.cancel import Cancellation

    link = connector(dict, hosts=hosts, classes=tuple)(bench.host, _nothing, _nothing)
    try:
        notice = link.call(request, _nothing, cancel=Cancellation())["notice"]
    finally:
        link.close()
    return Notice(**notice) if notice else None


def state_of(bench: Bench) -> str:
    """Say whether a bench may be taken, as far as its inventory and the state of this machine tell."""
    if bench.out_of_service:
        return f"out of service: {bench.out_of_service}"
    if not bench.host.local:
        return f"in service (host {bench.host.name} was not asked about a quarantine)"
    notice = ask(bench, {}, Inspect(bench=bench.name))
    return str(notice) if notice else "in service"


def _lines(found: dict[str, Notice | None], *, clear: bool, reason: str) -> Iterator[str]:
    for name, notice in found.items():
        if clear:
            yield f"bench {name} may be taken again; it was {notice}" if notice else f"bench {name} was free"
        elif notice is not None and notice.reason != reason:
            yield f"bench {name} stays as it was: {notice}"
        else:
            yield f"bench {name} is {notice}"


def _row(name: str, notice: Notice | None, *, clear: bool) -> dict[str, object]:
    state = {"bench": name, "quarantined": notice is not None and not clear}
    said = (
        {"reason": notice.reason, "who": notice.who, "since": notice.since, "run": notice.run}
        if notice
        else {}
    )
    return {**state, **said}


def _nothing(_heard: object) -> None:
    """Hear nothing: what is asked here touches no device."""
