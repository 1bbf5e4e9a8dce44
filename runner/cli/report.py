"""`runner report`."""

from __future__ import annotations

import click


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--results", default="results", show_default=True, metavar="DIR", help="Where the runs' folders are."
)
def command(run: str, results: str) -> int:
    """Make the reports of a run again from its events: JUnit, JSON and HTML.

    \b
    Examples:
      runner report
      runner report results/20261121T081500Z-1a2b3c
    """
    from runner.report.folder import find_run
    from runner.report.rebuild import rebuild

    folder = find_run(results, run)
    for path in rebuild(folder):
        click.echo(f"wrote {path}")
    return 0
