"""`runner doc`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from runner.cli.common import with_modules_beside
from runner.errors import Fault, InputError, did_you_mean
from runner.registry import Registry


@click.command()
@click.argument("name", required=False)
@click.option("--recipe", metavar="FILE", help="Take in the modules beside this recipe.")
@click.option("--write", metavar="DIR", help="Write the pages of everything as Markdown files.")
def command(name: str | None, recipe: str | None, write: str | None) -> int:
    """Explain a module, a driver or an error code; without a name, list what there is.

    \b
    Examples:
      runner doc uboot_cmd
      runner doc qemu
      runner doc E231
    """
    registry = with_modules_beside(recipe or "recipe.yaml", Registry.built_in())
    if write is not None:
        _write(Path(write), registry)
    elif name is None:
        _index(registry)
    elif re.fullmatch(r"E\d{3}", name):
        _code(name)
    else:
        _page(name, registry)
    return 0


def _index(registry: Registry) -> None:
    for title, names in (("Modules", registry.verb_names()), ("Drivers", registry.driver_names())):
        click.echo(f"{title}:")
        for each in names:
            found = registry.verb(each) if title == "Modules" else registry.driver(each)
            click.echo(f"  {each:<18} {found.summary if found else ''}")
        click.echo()


def _write(folder: Path, registry: Registry) -> None:
    from runner.reference import whole

    folder.mkdir(parents=True, exist_ok=True)
    for file, text in whole(registry).items():
        (folder / file).write_text(text, encoding="utf-8")
        click.echo(f"wrote {folder / file}")


def _code(name: str) -> None:
    from runner.codes import CODES, page

    if name not in CODES:
        raise InputError(
            [Fault(code="E504", message=f"no error code {name}", hint=did_you_mean(name, CODES))]
        )
    click.echo(page(name), nl=False)


def _page(name: str, registry: Registry) -> None:
    from runner.reference import driver_page, module_page

    verb, driver = registry.verb(name), registry.driver(name)
    if verb is None and driver is None:
        known = (*registry.verb_names(), *registry.driver_names())
        hint = did_you_mean(name, known) or "runner doc lists them"
        raise InputError([Fault(code="E504", message=f"no module or driver {name!r}", hint=hint)])
    if verb is not None:
        click.echo(module_page(verb), nl=False)
    if driver is not None:
        click.echo(driver_page(driver), nl=False)
