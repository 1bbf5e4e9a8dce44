"""Wait until the board lets us in over SSH."""

from __future__ import annotations

import time

from runner.api import Context, Duration, Failed, LabError, Module, RemoteShell, Result, TimedOut, arg, device

_PAUSE = 0.5


class SshWaited(Result):
    """How long it took."""

    elapsed: Duration
    attempts: int


class SshWait(Module):
    """Wait until the board lets us in over SSH: after it was switched on, restarted, or flashed.

    An SSH server that turns us away counts as not ready until the time is over: many boards start
    it before the home of who logs in is there.

    Example::

        - ssh_wait: 90s
    """

    limited_by = "within"

    within: Duration = arg(default=Duration("60s"), primary=True, help="how long to wait")
    shell: RemoteShell = device(help="the board")

    def run(self, context: Context) -> SshWaited:
        """Try again and again."""
        started, attempts = time.monotonic(), 0
        while True:
            attempts += 1
            left = started + self.within - time.monotonic()
            try:
                self.shell.connect(max(left, _PAUSE))
                return SshWaited(elapsed=Duration(time.monotonic() - started), attempts=attempts)
            except (Failed, LabError) as error:
                if time.monotonic() - started + _PAUSE > self.within:
                    raise self._late(error, attempts) from error
            context.sleep(_PAUSE)

    def _late(self, error: Failed | LabError, attempts: int) -> Failed | LabError:
        evidence = {"attempts": attempts, "limit": float(self.within), **error.evidence}
        message = f"not let in within {self.within}: {error.message}"
        if isinstance(error, LabError):
            return type(error)(message, evidence=evidence, hint=error.hint)
        return TimedOut(message, evidence=evidence, hint="give it more time with 'within'")
