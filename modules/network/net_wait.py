"""Wait until something listens on the network, or does not any more."""

from __future__ import annotations

import re
import time
from typing import Literal

from runner.api import (
    Context,
    Duration,
    LabError,
    Module,
    Network,
    RecipeFault,
    Result,
    TimedOut,
    Unreachable,
    arg,
    device,
)
from runner.modules.network.connections import connections_to

_PAUSE = 0.2
_LISTEN = 0.1


class NetWaited(Result):
    """How long it took, and what was said first."""

    elapsed: Duration
    banner: str
    """What was received up to the end of the match; empty unless one was waited for."""
    attempts: int


class NetWait(Module):
    """Wait until a device of the network can be connected to, cannot be, says something, or is idle.

    `open`: somebody accepts a connection, and says what matches `banner` if there is one. `closed`:
    nobody does. `drained`: no connection of this host to it is left.

    Example::

        - net_wait: {device: ssh, banner: '^SSH-2', within: 60s}
        - net_wait: {device: web, state: closed}
    """

    limited_by = "within"

    state: Literal["open", "closed", "drained"] = arg(default="open", primary=True, help="what is waited for")
    banner: str = arg(default="", help="a regular expression for what it says first, without being asked")
    within: Duration = arg(default=Duration("30s"), help="how long to wait")
    network: Network = device(help="who is waited for")

    def run(self, context: Context) -> NetWaited:
        """Try again and again until it is so."""
        if self.banner and self.state != "open":
            raise RecipeFault("'banner' is for state: open")
        started, attempts, why = time.monotonic(), 0, "it was not tried"
        while True:
            attempts += 1
            left = started + self.within - time.monotonic()
            said, why = self._look(max(left, _LISTEN), context)
            elapsed = Duration(time.monotonic() - started)
            if said is not None:
                return NetWaited(elapsed=elapsed, banner=said, attempts=attempts)
            if elapsed + _PAUSE > self.within:
                raise self._late(attempts, why)
            context.sleep(_PAUSE)

    def _look(self, left: float, context: Context) -> tuple[str | None, str]:
        """Return what was said, or None and why it is not yet as it should be."""
        if self.state == "drained":
            count = connections_to(self.network.address())
            return (None, f"{count} of this host's connections to it are left") if count else ("", "")
        try:
            said = self._said(left, context)
        except Unreachable as error:
            return ("", "") if self.state == "closed" else (None, error.message)
        return (None, "somebody still accepts connections") if self.state == "closed" else said

    def _said(self, left: float, context: Context) -> tuple[str | None, str]:
        """Connect, and listen for the banner."""
        until = time.monotonic() + left
        link = self.network.connect(left)
        try:
            heard = b""
            while self.banner:
                context.check_cancelled()
                found = re.search(self.banner.encode(), heard, re.MULTILINE)
                if found:
                    return heard[: found.end()].decode("utf-8", "backslashreplace"), ""
                more = link.read(_LISTEN)
                heard += more or b""
                if more is None or time.monotonic() > until:
                    return None, f"it says {heard[-200:].decode('utf-8', 'backslashreplace')!r}"
        except Unreachable:
            raise
        except LabError as error:
            return None, error.message
        finally:
            link.hang_up()
            link.close()
        return "", ""

    def _late(self, attempts: int, why: str) -> TimedOut:
        wanted = f"open and say {self.banner!r}" if self.banner else self.state
        return TimedOut(
            f"{self.network.address().url} is not {wanted} within {self.within}: {why}",
            evidence={"attempts": attempts, "limit": float(self.within), "last": why},
            hint="give it more time with 'within'",
        )
