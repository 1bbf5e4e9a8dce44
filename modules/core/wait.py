"""Let time pass."""

from __future__ import annotations

from runner.api import Context, Duration, Module, arg


class Wait(Module):
    """Let time pass, where nothing can be waited for.

    To wait for the board, use `expect_console`, `can_expect`, or `until` on a step.

    Example::

        - wait: 500ms
    """

    runs_on = "controller"
    limited_by = "time"

    time: Duration = arg(primary=True, help="how long")

    def run(self, context: Context) -> None:
        """Wait; a cancel ends it at once."""
        context.sleep(self.time)
