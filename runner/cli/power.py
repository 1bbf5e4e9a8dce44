"""`runner power`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from runner.api.values import Duration
from runner.cli.common import duration, inventory_option
from runner.cli.switch import Switch, Wanted, switch_of
from runner.cli.table import print_rows

VERBS = ("on", "off", "cycle", "read", "info")
_ONLY_FOR = {
    "force": ("on", "off"),
    "off_time": ("cycle",),
    "by_switch": ("cycle",),
    "count": ("read",),
    "interval": ("read",),
}
_FIGURES = {"voltage": "V", "current": "A", "power": "W", "apparent_power": "VA"}


@click.command(
    epilog="Exit codes: 0 done, and read back where the switch can be read; 2 the input is wrong, 3 the lab, "
    "4 somebody holds the bench."
)
@click.argument("bench")
@click.argument("verb", type=click.Choice(VERBS))
@inventory_option
@click.option("--device", metavar="NAME", help="Which switch, when the bench has several.")
@click.option("--force", is_flag=True, help="Switch on or off past what keeps it as it is, as a long press.")
@click.option("--off-time", callback=duration, metavar="TIME", help="For cycle: how long it is off (2s).")
@click.option("--by-switch", is_flag=True, help="For cycle: let the switch do it by itself.")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(min=0),
    help="For read: how many readings; 0 to go on until Ctrl-C (1).",
)
@click.option("--interval", callback=duration, metavar="TIME", help="For read: between two of them (1s).")
@click.option("--steal", is_flag=True, help="Do not take the bench: somebody may hold it.")
@click.option(
    "--wait",
    callback=duration,
    default="0s",
    show_default=True,
    metavar="TIME",
    help="How long to wait for it.",
)
@click.option("--recipe", metavar="FILE", help="Take in the modules beside this recipe.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print it."
)
def command(
    bench: str,
    verb: str,
    inventories: tuple[str, ...],
    device: str | None,
    steal: bool,
    wait: Duration,
    recipe: str | None,
    output: str,
    **options: Any,
) -> int:
    """Switch a bench's power by hand, measure it, or look what its switch is.

    The bench is taken for that; while somebody holds it, that is told and nothing is switched.
    Its on_acquire and on_release are left out: what is switched stays so.

    \b
    Examples:
      runner power rpi4-01 on
      runner power rpi4-01 cycle --off-time 10s
      runner power rpi4-01 off --force --device pdu
      runner power rpi4-01 read --count 0 --interval 500ms
      runner power rpi4-01 info -o json
    """
    given = {name: value for name, value in options.items() if value not in (None, False)}
    for name in given:
        if verb not in _ONLY_FOR[name]:
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{flag} is for {' and '.join(_ONLY_FOR[name])}, not for {verb}")
    if "off_time" in given and "by_switch" in given:
        raise click.UsageError("with --by-switch the switch chooses the time; leave --off-time out")
    wanted = Wanted(
        bench=bench, device=device or "", inventories=inventories, recipe=recipe, steal=steal, wait=wait
    )
    with switch_of(wanted) as switch:
        match verb:
            case "read":
                _read(switch, output, given.get("count", 1), given.get("interval", Duration("1s")))
            case "info":
                _print({"bench": switch.bench, **switch.run("power_info")}, output)
            case _:
                _print(_turned(switch, verb, given), output)
                _warn(switch, verb)
    return 0


def _turned(switch: Switch, verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    result = switch.run(f"power_{verb}", **given)
    return {
        "bench": switch.bench,
        "device": switch.device,
        "state": result["state"],
        "previous": result["previous"],
        "verified": result["verified"],
    }


def _warn(switch: Switch, verb: str) -> None:
    """Say what the person cannot see from here."""
    if switch.private and verb != "off":
        click.echo(
            f"what is behind {switch.device} is made anew for each run: it ends with this command",
            err=True,
        )


def _read(switch: Switch, output: str, count: int, interval: Duration) -> None:
    done = 0
    while True:
        found = switch.run("power_read")
        figures = {name: found[name] for name in _FIGURES}
        click.echo(json.dumps(figures) if output == "json" else _line(figures))
        done += 1
        if done == count:
            return
        switch.pause(interval)


def _line(figures: Mapping[str, float | None]) -> str:
    """Write figures for a person.

    >>> _line({"voltage": 5.0, "current": 0.4211, "power": None})
    'voltage 5 V  current 0.4211 A'
    """
    return "  ".join(f"{name} {value}" for name, value in _figures(figures).items())


def _figures(found: Mapping[str, float | None]) -> dict[str, str]:
    return {
        name.replace("_", " "): f"{value:.6g} {_FIGURES[name]}"
        for name, value in found.items()
        if value is not None
    }


def _print(row: Mapping[str, Any], output: str) -> None:
    if output == "json":
        click.echo(json.dumps(row, indent=2))
        return
    print_rows([{name: _cell(name, value) for name, value in row.items()}], "table")


def _cell(name: str, value: Any) -> Any:
    if name == "reading":
        return ", ".join(f"{what} {figure}" for what, figure in _figures(value or {}).items())
    return "cannot be read" if value is None and name in ("state", "previous") else value
