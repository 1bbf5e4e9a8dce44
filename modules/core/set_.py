"""Keep values under names."""

from __future__ import annotations

from typing import Any

from runner.api import Context, Module, arg


class Set(Module):
    """Give names to values, for the rest of the test.

    Example::

        - set: {limit: "{{ 2 * boot.elapsed }}", slots: [a, b]}
    """

    runs_on = "controller"
    reads_only = True
    defines = "values"

    values: dict[str, Any] = arg(rest=True, help="each name and its value")

    def run(self, context: Context) -> None:
        """Leave it to the engine, which puts what a module `defines` into the test."""
