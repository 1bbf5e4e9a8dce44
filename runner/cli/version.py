"""`runner version`."""

import click

from runner import __version__


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(output: str) -> None:
    """Print the version."""
    if output == "json":
        import json

        click.echo(json.dumps({"version": __version__}))
        return
    click.echo(f"runner {__version__}")
