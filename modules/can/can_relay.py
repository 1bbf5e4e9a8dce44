"""Carry frames from one CAN bus to another."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from runner.api import (
    BusTask,
    CanBus,
    Cancelled,
    CanFilter,
    Context,
    Duration,
    Misfit,
    Module,
    Result,
    Verdict,
    arg,
    device,
)
from runner.api.unattended import Unattended
from runner.modules.can.frame import Filter, filters_of

_SEND_WITHIN = Duration("1s")
_STOP_WITHIN = 5.0


class Relayed(Result):
    """Whether frames are carried then."""

    running: bool
    changed: bool
    carried: int | None = None
    """Of a relay that was stopped: how many frames it has carried."""


class CanRelay(Module):
    """Carry what one CAN bus receives to another, and back if wanted, until the bench is given back.

    Example::

        - can_relay: {bus: can0, to: can1, filters: [{id: 0x100, mask: 0x700}], both: true}
        - can_relay: {bus: can0, to: can1, state: stopped}
    """

    state: Literal["started", "stopped"] = arg(default="started", help="what it is to be")
    filters: list[Filter] = arg(default=[], help="only frames that one of these lets pass")
    both: bool = arg(default=False, help="whether frames of `to` are carried back, too")
    bus: CanBus = device(help="the bus whose frames are carried")
    to: CanBus = device(help="the bus that they are carried to")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which arguments a relay that is stopped does not need."""
        for name in ("filters", "both"):
            if given.get("state") == "stopped" and given.get(name):
                yield Misfit(name, f"{name} belongs to one that is started", "leave it out")

    def run(self, context: Context) -> Relayed:
        """Start or stop it; raise LabError when a bus had refused a frame."""
        ways = [(self.bus, self.to, f"relay to {context.devices['to']}")]
        ways.append((self.to, self.bus, f"relay to {context.devices['bus']}"))
        if self.state == "stopped":
            running = any(source.work.find(key) is not None for source, _, key in ways)
            carried = sum(source.work.stop(key) or 0 for source, _, key in ways)
            return Relayed(running=False, changed=running, carried=carried)
        filters = filters_of(self.filters)
        changed = False
        for source, target, key in ways if self.both else ways[:1]:
            known = source.work.find(key)
            if known is not None and known.what == filters:
                continue
            source.work.start(key, Relay(source, target, filters))
            changed = True
        return Relayed(running=True, changed=changed)


class Relay(BusTask):
    """Carries frames in a thread of its own."""

    def __init__(self, source: CanBus, target: CanBus, filters: tuple[CanFilter, ...]) -> None:
        """Begin with the frames that come from now on."""
        self.what = filters
        self._source = source
        self._target = target
        self._filters = filters
        self._context = Unattended()
        self._carried = 0
        self._failed: Verdict | None = None
        self._after = source.latest()
        self._thread = threading.Thread(target=self._run, name="relay of a CAN bus", daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End it; raise LabError when a bus has refused."""
        self._context.stop()
        self._thread.join(_STOP_WITHIN)
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed
        return self._carried

    @property
    def running(self) -> bool:
        """Tell whether it carries frames."""
        return self._thread.is_alive() and not self._context.cancelled

    def _run(self) -> None:
        try:
            while True:
                self._carry()
        except Cancelled:
            return
        except Verdict as error:
            self._failed = error

    def _carry(self) -> None:
        frame = self._source.next(self._after, self._context.left, self._context)
        if frame is None:
            return
        self._after = frame.number
        if frame.error or (self._filters and not any(each.passes(frame) for each in self._filters)):
            return
        self._target.send(replace(frame, number=0), _SEND_WITHIN)
        self._carried += 1
