"""Wait for a signal of D-Bus."""

from __future__ import annotations

import time
from typing import Any, Literal

from runner.api import BusSignal, Context, Duration, MessageBus, Module, Result, TimedOut, arg, device

_SHOWN = 8


class SignalHeard(Result):
    """The signal, and how long it was waited."""

    signal: BusSignal
    args: tuple[Any, ...]
    """Its arguments."""
    elapsed: Duration


class DbusWaitSignal(Module):
    """Wait for a signal on a D-Bus message bus.

    Looked at are the signals since the last `dbus_call` or `dbus_set` on this bus (`since: start`:
    since it was connected), also those that came before this step began.

    Example::

        - dbus_wait_signal:
            interface: org.freedesktop.DBus.Properties
            member: PropertiesChanged
            path: /com/example/lamp
            args: {0: com.example.Lamp}
            within: 5s
    """

    limited_by = "within"

    member: str = arg(primary=True, help="its name")
    interface: str = arg(default="", help="the interface that it belongs to; empty: any")
    path: str = arg(default="", help="of which object; empty: any")
    sender: str = arg(default="", help="the unique name of who sends it, as :1.42; empty: anybody")
    args: dict[int, Any] = arg(default={}, help="what some arguments must be, by their numbers from 0")
    since: Literal["call", "start"] = arg(default="call", help="from where on it counts")
    within: Duration = arg(default=Duration("10s"), help="how long to wait")
    bus: MessageBus = device(help="the bus")

    def run(self, context: Context) -> SignalHeard:
        """Wait for it."""
        self.bus.connect()
        since = self.bus.asked_at if self.since == "call" else 0
        started = time.monotonic()
        found = self.bus.signals().next(since, self.within, context, self._is_wanted)
        elapsed = Duration(time.monotonic() - started)
        if found is None:
            raise self._missed(since)
        signal = found[1]
        return SignalHeard(signal=signal, args=signal.args, elapsed=elapsed)

    def _is_wanted(self, signal: BusSignal) -> bool:
        named = (
            (self.member, signal.member),
            (self.interface, signal.interface),
            (self.path, signal.path),
            (self.sender, signal.sender),
        )
        if any(wanted and wanted != found for wanted, found in named):
            return False
        return all(
            number < len(signal.args) and signal.args[number] == wanted
            for number, wanted in self.args.items()
        )

    def _missed(self, since: int) -> TimedOut:
        others = [
            f"{each.interface}.{each.member} {list(each.args)}" for each in self.bus.signals().after(since)
        ]
        return TimedOut(
            f"{self.bus.where()}: no signal {self.interface or '*'}.{self.member} within {self.within}",
            evidence={"others": others[-_SHOWN:], "heard": len(others), "limit": float(self.within)},
            hint="give it more time with 'within'",
        )
