"""`runner release`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from runner.agent.calls import Vacate
from runner.cli.common import inventory_option
from runner.cli.reserve import ask, one_bench
from runner.cli.table import print_rows
from runner.engine.who import ourselves


@click.command()
@click.argument("pattern", metavar="BENCH")
@inventory_option
@click.option("--force", is_flag=True, help="Also end what somebody else has: a reservation, a run.")
@click.option("--reason", default="", metavar="TEXT", help="With --force: why; who is thrown out is told.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How the answer is printed."
)
def command(pattern: str, inventories: tuple[str, ...], force: bool, reason: str, output: str) -> int:
    """Give back a bench that you have reserved; with --force, take it away from whoever has it.

    A run that is thrown out stops at once, its host runs on_release, and its log says who did that.

    \b
    Examples:
      runner release rpi4-01 -i lab.yaml
      runner release rpi4-01 --force --reason 'the board smokes' -i lab.yaml
    """
    if reason and not force:
        raise click.UsageError("--reason is for who is thrown out with --force")
    inventory, bench = one_bench(pattern, inventories)
    request = Vacate(bench=bench.name, who=ourselves(), force=force, reason=reason)
    answer = ask(request, bench, inventory)
    if output == "json":
        print_rows([{"bench": bench.name, **answer}], "json")
        return 0
    for line in _lines(bench.name, answer, request.who):
        click.echo(line)
    return 0


def _lines(bench: str, answer: Mapping[str, Any], who: str) -> Iterator[str]:
    reserved = answer["reserved"]
    if reserved and reserved["owner"] == who:
        yield f"bench {bench} is not reserved any more"
    elif reserved:
        until = f"who had reserved it until {reserved['until']}"
        yield f"bench {bench} was taken away from {reserved['owner']}, {until}"
    if answer["holder"]:
        yield f"bench {bench} was taken away from {answer['holder']}"
    if answer.get("still"):
        yield f"bench {bench} is held by {answer['still']}; that run goes on (--force ends it)"
    if not (reserved or answer["holder"] or answer.get("still")):
        yield f"bench {bench} was free"
