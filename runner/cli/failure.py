"""The words and the exit code for an error that reached the edge of the program."""

from __future__ import annotations

import platform
import sys
import traceback
from pathlib import Path

import click

from runner import __version__
from runner.api.verdicts import Verdict
from runner.engine.planning import NoBench
from runner.errors import InputError
from runner.report.faults import render

INPUT = 2
LAB = 3
NO_BENCH = 4
OURS = 70
"""EX_SOFTWARE of sysexits.h: a mistake of runner itself, never to be taken for a result."""


def explain(error: Exception) -> int:
    """Print what went wrong and return the exit code."""
    if isinstance(error, InputError):
        click.echo(render(error.faults, color=sys.stderr.isatty()), err=True, nl=False)
        return INPUT
    if isinstance(error, NoBench):
        click.echo(f"error: {error}", err=True)
        return NO_BENCH
    if isinstance(error, Verdict):
        click.echo(f"error: {error.message}" + (f"\n  hint: {error.hint}" if error.hint else ""), err=True)
        return LAB
    return _crash(error)


def _crash(error: Exception) -> int:
    text = "\n".join(
        [
            f"runner {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(sys.argv)}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    path = Path("runner-crash.txt")
    try:
        path.write_text(text, encoding="utf-8")
        where = f"the whole report, ready to paste into an issue, is in {path}"
    except OSError as denied:
        where = f"{text}\n(it could not be written to {path}: {denied})"
    click.echo(f"runner made a mistake of its own: {type(error).__name__}: {error}\n{where}", err=True)
    return OURS
