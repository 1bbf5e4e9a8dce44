"""A supply that only pretends: it keeps a record of what it was told, and can misbehave."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from runner.api import (
    Driver,
    Duration,
    LabError,
    Power,
    PowerReading,
    PowerState,
    PowerVerb,
    Unreachable,
    Unsupported,
    arg,
)

Call = Literal["open", "on", "off", "cycle", "force_on", "force_off", "rescue", "state", "read", "close"]


class Mock(Driver, Power):
    """A supply that only pretends, for trying out recipes and for tests.

    Example::

        devices:
          power: {driver: mock, record: calls.txt, fails: [off]}
    """

    simulated = True
    private = True

    record: str = arg(default="", help="a file on the host that gets a line for each call, from `open` on")
    initial: PowerState = arg(default="off", help="its state when it is opened")
    fails: list[Call] = arg(default=[], help="the calls that end in an error of the lab")
    fail_times: int = arg(default=0, help="how often each of them fails; 0: always", minimum=0)
    readable: bool = arg(default=True, help="whether its state can be read back")
    can: list[PowerVerb] = arg(
        default=["cycle", "force_on", "force_off", "rescue"], help="what it can do besides on and off"
    )
    stuck: bool = arg(default=False, help="it says yes to everything and keeps its state")
    delay: Duration = arg(default=Duration(0), help="how long each call takes")
    voltage: float | None = arg(default=5.0, help="what it measures when it is on, in volts")
    current: float | None = arg(default=2.0, help="what it measures when it is on, in amperes")

    def open(self) -> None:
        """Begin the record; raise Unreachable when it is to fail."""
        self._state: PowerState = self.initial
        self._failed: dict[str, int] = {}
        self._closed = threading.Event()
        self._note("open")

    def close(self) -> None:
        """End the record, and calls that take their time."""
        self._closed.set()
        self._note("close")

    def on(self) -> None:
        """Pretend to switch on."""
        self._switch("on", "on")

    def off(self) -> None:
        """Pretend to switch off."""
        self._switch("off", "off")

    def cycle(self) -> None:
        """Pretend to switch off and on again."""
        self._refuse_unless_it_can("cycle")
        self._switch("cycle", "on")

    def force_on(self) -> None:
        """Pretend to switch on past whatever keeps it off."""
        self._refuse_unless_it_can("force_on")
        self._switch("force_on", "on")

    def force_off(self) -> None:
        """Pretend to switch off past whatever keeps it on."""
        self._refuse_unless_it_can("force_off")
        self._switch("force_off", "off")

    def rescue(self) -> None:
        """Pretend to switch on, into the rescue mode."""
        self._refuse_unless_it_can("rescue")
        self._switch("rescue", "on")

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return what was chosen."""
        return tuple(self.can)

    def state(self) -> PowerState | None:
        """Return the state, or None when it is not readable."""
        self._note("state")
        return self._state if self.readable else None

    def read(self) -> PowerReading | None:
        """Return what was chosen; nothing flows while it is off. None when nothing was chosen."""
        self._note("read")
        if self.voltage is None and self.current is None:
            return None
        is_on = self._state == "on"
        voltage = self.voltage if is_on or self.voltage is None else 0.0
        current = self.current if is_on or self.current is None else 0.0
        power = None if voltage is None or current is None else voltage * current
        return PowerReading(voltage=voltage, current=current, power=power)

    def _refuse_unless_it_can(self, verb: PowerVerb) -> None:
        if verb not in self.can:
            raise Unsupported(f"the pretended supply cannot {verb!r}, as it was told")

    def _switch(self, call: Call, state: PowerState) -> None:
        self._note(call)
        self._state = self._state if self.stuck else state

    def _note(self, call: Call) -> None:
        if self.record:
            with Path(self.record).open("a", encoding="utf-8") as file:
                file.write(f"{call}\n")
        if self.delay:
            self._closed.wait(self.delay)
        self._failed[call] = self._failed.get(call, 0) + 1
        if call not in self.fails or (self.fail_times and self._failed[call] > self.fail_times):
            return
        if call == "open":
            raise Unreachable("the pretended supply does not answer, as it was told")
        raise LabError(f"the pretended supply fails at {call!r}, as it was told", evidence={"call": call})
