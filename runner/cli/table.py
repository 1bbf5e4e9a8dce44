"""Listings: the same rows as a table, JSON, YAML or names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click


def print_rows(rows: Sequence[Mapping[str, Any]], output: str) -> None:
    """Print rows that share their keys; the first key is the name."""
    if output == "json":
        click.echo(json.dumps(list(rows), indent=2, default=str))
    elif output == "yaml":
        import yaml

        click.echo(yaml.safe_dump([dict(row) for row in rows], sort_keys=False, allow_unicode=True), nl=False)
    elif output == "name":
        for row in rows:
            click.echo(str(next(iter(row.values()))))
    else:
        _table(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        click.echo("nothing to list", err=True)
        return
    columns = list(rows[0])
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[index]) for line in cells)) for index, column in enumerate(columns)]
    click.echo(_line([column.upper() for column in columns], widths))
    for line in cells:
        click.echo(_line(line, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
