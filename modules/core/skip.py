"""End a test as skipped."""

from __future__ import annotations

from runner.api import Context, Module, Skipped, arg


class Skip(Module):
    """Skip the rest of the test, for a reason that stands in the reports.

    Example::

        - skip: no CAN on this board
          when: "'can0' not in bench.devices"
    """

    runs_on = "controller"
    reads_only = True

    reason: str = arg(primary=True, help="why")

    def run(self, context: Context) -> None:  # noqa: ARG002 - there is nothing to wait for
        """Skip."""
        raise Skipped(self.reason)
