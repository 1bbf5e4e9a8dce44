"""Say that the board is going to restart."""

from __future__ import annotations

from runner.api import Context, Duration, Module, arg, device
from runner.console import Console


class ExpectReset(Module):
    """Say that the board's next start is one that was asked for, and so no unexpected reset.

    Needed before what restarts the board in a way that cannot be known from it: a script, an
    update, a watchdog that is put to the test. Switching the power, and typing `reboot` or `reset`,
    say it by themselves.

    Example::

        - expect_reset: 5m
        - console_cmd: /usr/bin/install-update
    """

    reads_only = True

    within: Duration = arg(
        default=Duration("2m"), primary=True, help="in which time it starts; a later start is unexpected"
    )
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board restarts")

    def run(self, context: Context) -> None:  # noqa: ARG002 - there is nothing to wait for
        """Say it to every console."""
        for console in self.consoles:
            console.expect_reset(self.within)
