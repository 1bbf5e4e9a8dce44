"""Say something in the reports."""

from __future__ import annotations

import json
from typing import Any

from runner.api import Context, Level, Module, arg


class Log(Module):
    """Say something in the reports; lists and mappings are shown as JSON.

    Example::

        - log: "the kernel took {{ boot.elapsed }} s"
        - log: {text: "{{ boot }}", level: debug}
    """

    runs_on = "controller"
    reads_only = True

    text: str | list[Any] | dict[str, Any] = arg(primary=True, help="what to say")
    level: Level = arg(default="info", help="how important it is")

    def run(self, context: Context) -> None:
        """Say it."""
        shown = self.text if isinstance(self.text, str) else json.dumps(self.text, indent=2, default=str)
        context.log(shown, self.level)
