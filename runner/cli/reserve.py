"""`runner reserve`."""

from __future__ import annotations

import click

from runner.agent.calls import Heard, Request, Reserve, Said, Waiting
from runner.api.values import Duration
from runner.api.verdicts import LabError
from runner.cli.common import duration, find_benches, inventory_option, with_modules_beside
from runner.cli.table import print_rows
from runner.engine.planning import NoBench
from runner.engine.who import ourselves
from runner.errors import Fault, InputError
from runner.model import Bench, Inventory


@click.command()
@click.argument("pattern", metavar="BENCH")
@inventory_option
@click.option(
    "--for", "length", callback=duration, required=True, metavar="TIME", help="How long: 30m, 2h, 1h30m."
)
@click.option("--reason", default="", metavar="TEXT", help="What for; who wants the bench is told.")
@click.option(
    "--wait", callback=duration, metavar="TIME", help="How long to wait for a bench that somebody holds."
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How the answer is printed."
)
def command(
    pattern: str,
    inventories: tuple[str, ...],
    length: Duration,
    reason: str,
    wait: Duration | None,
    output: str,
) -> int:
    """Keep a bench for yourself: your runs are let in, everybody else waits until the time is over.

    The time counts by the clock of the bench's host, and ends there whatever happens to you. To reserve
    a bench again is to set another end. You are user@host, or what $RUNNER_WHO says.

    \b
    Examples:
      runner reserve rpi4-01 --for 2h --reason 'measuring the new regulator' -i lab.yaml
      runner reserve rpi4-01 --for 30m --wait 1h -i lab.yaml
      runner release rpi4-01 -i lab.yaml
    """
    inventory, bench = one_bench(pattern, inventories)
    _refuse_private(bench)
    _refuse_too_long(bench, length)
    request = Reserve(
        bench=bench.name, who=ourselves(), seconds=length, reason=reason, wait=float(wait or 0.0)
    )
    answer = ask(request, bench, inventory)
    if output == "json":
        print_rows([{"bench": bench.name, **answer}], "json")
    else:
        click.echo(f"bench {bench.name} is yours until {answer['until']} (you are {answer['owner']})")
    return 0


def one_bench(pattern: str, inventories: tuple[str, ...]) -> tuple[Inventory, Bench]:
    """Return the one bench that a pattern names, with its inventory."""
    from runner.inventory.select import select

    inventory = find_benches(inventories, None, with_modules_beside("recipe.yaml"))
    chosen = select(pattern, inventory, None)
    if len(chosen) != 1:
        message = f"{pattern!r} names {len(chosen)} benches, and one is needed"
        raise InputError([Fault(code="E505", message=message)])
    return inventory, chosen[0]


def ask(request: Request, bench: Bench, inventory: Inventory) -> dict[str, object]:
    """Have the bench's host do it; raise NoBench when somebody has the bench, else LabError."""
    from runner.connect.agents import connector
    from runner.engine.cancel import Cancellation

    link = connector(dict, hosts=inventory.hosts, classes=tuple)(bench.host, _hear, _hear)
    try:
        answer: dict[str, object] = link.call(request, _hear, cancel=Cancellation())
    except LabError as error:
        if error.evidence.keys() & {"holder", "quarantine"}:
            hint = f"\n  hint: {error.hint}" if error.hint else ""
            raise NoBench(f"{error.message}{hint}") from error
        raise
    finally:
        link.close()
    return answer


def _refuse_private(bench: Bench) -> None:
    if all(each.driver is None or each.driver.private for each in bench.devices.values()):
        raise click.UsageError(f"bench {bench.name} is made anew for every run: there is nothing to reserve")


def _refuse_too_long(bench: Bench, length: Duration) -> None:
    if bench.max_hold is not None and length > bench.max_hold:
        raise InputError(
            [
                Fault(
                    code="E425",
                    message=f"bench {bench.name!r} may be held for {bench.max_hold}, not for {length}",
                    at=bench.at,
                    hint="reserve it for less, or change its max_hold there",
                )
            ]
        )


def _hear(heard: Heard) -> None:
    match heard:
        case Waiting():
            place = f", place {heard.place} of {heard.queue} in the queue" if heard.queue > 1 else ""
            click.echo(f"bench {heard.bench} is held by {heard.holder}; waiting{place}", err=True)
        case Said():
            click.echo(heard.text, err=True)
        case _:
            pass  # nothing else can be heard of what touches no device
