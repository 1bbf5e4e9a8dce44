"""`runner console`."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

import click

from runner.api.values import Duration
from runner.api.verdicts import Failed
from runner.cli.common import extra_option, extra_values, inventory_option
from runner.cli.keys import DEFAULT, escape_key, instructions, shown
from runner.cli.open_console import Console, Wanted, open_console
from runner.cli.piped import Limits, Sink, pipe
from runner.cli.terminal import End, Screen, converse

_FAILED = 1


def _duration(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    try:
        return float(Duration(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _pattern(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> re.Pattern[bytes] | None:
    if value is None:
        return None
    try:
        return re.compile(value.encode())
    except re.error as error:
        raise click.BadParameter(f"{value!r} is no regular expression: {error}") from error


def _escape(_context: click.Context, _parameter: click.Parameter, value: str) -> int | None:
    try:
        return escape_key(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    escape: int | None
    limits: Limits


@click.command(
    epilog="Exit codes: 0 fine, 1 the board did not say it in time, 2 the input is wrong, 3 the lab, "
    "4 somebody holds the bench."
)
@click.argument("bench")
@click.argument("device", required=False)
@inventory_option
@extra_option
@click.option("--steal", is_flag=True, help="Type although a run holds the bench; the run's events show it.")
@click.option(
    "--attach", is_flag=True, help="Join the run that holds the bench, also one with a board of its own."
)
@click.option(
    "--power",
    type=click.Choice(["on", "off", "cycle", "keep"]),
    help="Switch it first (default: on when the board is virtual, else keep).",
)
@click.option(
    "--escape",
    callback=_escape,
    default=DEFAULT,
    show_default=True,
    metavar="KEY",
    help="The key for commands at a terminal: ctrl-] or ctrl-a, or none.",
)
@click.option("--after", callback=_pattern, metavar="REGEX", help="From a pipe: type once this has come.")
@click.option("--until", callback=_pattern, metavar="REGEX", help="From a pipe: end once this has come.")
@click.option(
    "--linger",
    callback=_duration,
    default="1s",
    show_default=True,
    metavar="TIME",
    help="From a pipe: end after this much silence.",
)
@click.option(
    "--timeout",
    callback=_duration,
    default="60s",
    show_default=True,
    metavar="TIME",
    help="From a pipe: how long --after, and then the rest, may take.",
)
@click.option(
    "--wait", callback=_duration, default="0s", metavar="TIME", help="How long to wait for a held bench."
)
@click.option("--recipe", metavar="FILE", help="Take in the modules beside this recipe.")
@click.option(
    "--results", default="results", show_default=True, metavar="DIR", help="Where the log's folder is made."
)
def command(
    bench: str,
    device: str | None,
    inventories: tuple[str, ...],
    extra: tuple[str, ...],
    steal: bool,
    attach: bool,
    power: str | None,
    escape: int | None,
    after: re.Pattern[bytes] | None,
    until: re.Pattern[bytes] | None,
    linger: float,
    timeout: float,
    wait: float,
    recipe: str | None,
    results: str,
) -> int:
    """Open a console of a bench: a terminal for people, a pipe for scripts.

    A free bench is taken for as long as the session lasts. While a run of yours holds it you
    see what it sees, and type only with --steal.

    \b
    Examples:
      runner console rpi4-01
      runner console rpi4-01 bmc.console --escape ctrl-a
      runner console rpi4-01 --steal
      printf 'version\\n' | runner console qemu-uboot --after 'any key' --until '=> $'
    """
    wanted = Wanted(
        bench=bench,
        device=device or "",
        inventories=inventories,
        extra=extra_values(extra),
        steal=steal,
        attach=attach or steal,
        power=power,
        wait=wait,
        recipe=recipe,
        results=results,
    )
    limits = Limits(after=after, until=until, linger=linger, timeout=timeout)
    asked = _Asked(escape=escape, limits=limits)
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _at_terminal(wanted, asked)
    return _in_pipe(wanted, asked)


def _at_terminal(wanted: Wanted, asked: _Asked) -> int:
    screen, end = Screen(sys.stdout.fileno()), End()
    with open_console(wanted, screen.show, screen.remark, end.come) as console:
        click.echo(_beginning(console, asked.escape))
        console.begin()
        return converse(console.line, asked.escape, screen, end)


def _in_pipe(wanted: Wanted, asked: _Asked) -> int:
    sink, end = Sink(sys.stdout.fileno()), End()

    def remark(text: str) -> None:
        click.echo(f"runner console: {text}", err=True)

    def over(why: str) -> None:
        end.come(why)
        sink.wake()

    with open_console(wanted, sink.show, remark, over) as console:
        console.begin()
        try:
            return pipe(console.line, asked.limits, sink, end, sys.stdin.fileno())
        except Failed as error:
            hint = f"\n  hint: {error.hint}" if error.hint else ""
            click.echo(f"error: {error.message}{hint}", err=True)
            return _FAILED


def _beginning(console: Console, escape: int | None) -> str:
    how = "" if console.line.writable else ", read only (--steal takes the input)"
    lines = [f"console {console.device} of bench {console.bench}{console.held}{how}"]
    if escape is None:
        lines.append(instructions(escape))
    else:
        key = shown(escape)
        lines.append(f"quit: {key} q   help: {key} ?   log: {os.path.relpath(console.log)}")
    return "\n".join(lines)
