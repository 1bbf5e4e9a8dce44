"""`runner schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from runner.errors import Fault, InputError, did_you_mean
from runner.registry import Registry
from runner.schema_files import all_schemas


@click.command()
@click.argument("name", default="recipe")
@click.option("--write", metavar="DIR", help="Write every schema as DIR/NAME.schema.json.")
@click.option("--modules", metavar="DIR", help="Take in the modules of this folder, too.")
def command(name: str, write: str | None, modules: str | None) -> int:
    """Print a JSON Schema (recipe, inventory, configuration, events, results), or write them all.

    \b
    Put this line at the top of a recipe, and yaml-language-server completes and explains:
      # yaml-language-server: $schema=../schemas/recipe.schema.json
    \b
    Examples:
      runner schema recipe
      runner schema --write schemas --modules modules
    """
    registry = Registry.built_in()
    schemas = all_schemas(registry.with_folder(modules) if modules else registry)
    if write is not None:
        folder = Path(write)
        folder.mkdir(parents=True, exist_ok=True)
        for each, schema in schemas.items():
            (folder / f"{each}.schema.json").write_text(text_of(schema), encoding="utf-8")
            click.echo(f"wrote {folder / f'{each}.schema.json'}")
        return 0
    if name not in schemas:
        fault = Fault(
            code="E503", message=f"no schema {name!r}", hint=did_you_mean(name, schemas) or ", ".join(schemas)
        )
        raise InputError([fault])
    click.echo(text_of(schemas[name]), nl=False)
    return 0


def text_of(schema: dict[str, object]) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
