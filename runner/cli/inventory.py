"""`runner inventory`."""

from __future__ import annotations

import click

from runner.cli.common import find_benches, inventory_option, output_option, with_modules_beside
from runner.cli.listing import bench_rows
from runner.cli.table import print_rows
from runner.model import Inventory


@click.group()
def command() -> None:
    """Show the inventory as it is understood."""


@command.command()
@click.argument("pattern", default="all")
@inventory_option
@output_option
def show(pattern: str, inventories: tuple[str, ...], output: str) -> int:
    """List the benches that a pattern selects, with host, labels, groups and devices.

    \b
    Examples:
      runner inventory show
      runner inventory show 'board=rpi4&!site=es' -i lab.yaml -o yaml
    """
    from runner.inventory.select import select

    inventory = find_benches(inventories, None, with_modules_beside("recipe.yaml"))
    chosen = {bench.name for bench in select(pattern, inventory, None)}
    print_rows([row for row in bench_rows(inventory) if row["bench"] in chosen], output)
    return 0


@command.command()
@inventory_option
def graph(inventories: tuple[str, ...]) -> int:
    """Draw hosts, benches and their devices as a tree, then the groups."""
    inventory = find_benches(inventories, None, with_modules_beside("recipe.yaml"))
    for line in _tree(inventory):
        click.echo(line)
    return 0


def _tree(inventory: Inventory) -> list[str]:
    lines: list[str] = []
    hosts = {bench.host.name for bench in inventory.benches.values()}
    for host in sorted(hosts):
        lines.append(host)
        for bench in (each for each in inventory.benches.values() if each.host.name == host):
            lines.append(
                f"├─ {bench.name}"
                + (f"  (out of service: {bench.out_of_service})" if bench.out_of_service else "")
            )
            for name, device in bench.devices.items():
                lines.append(f"│  ├─ {name}: {device.driver.name if device.driver else '→ ' + device.ref}")
    for group, members in sorted(inventory.groups.items()):
        lines.append(f"group {group}: {', '.join(members)}")
    return lines
