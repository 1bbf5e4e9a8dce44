"""End a test as failed."""

from __future__ import annotations

from runner.api import Context, Failed, Module, arg


class Fail(Module):
    """Fail with a message.

    Example::

        - fail: the board has the wrong revision
          when: bench.labels.rev != 'C'
    """

    runs_on = "controller"
    reads_only = True

    message: str = arg(primary=True, help="what to say")

    def run(self, context: Context) -> None:  # noqa: ARG002 - there is nothing to wait for
        """Fail."""
        raise Failed(self.message)
