"""What stands for a power switch in a replay."""

from __future__ import annotations

import typing
from typing import Any

from runner.agent.calls import Ended
from runner.api.codec import decode
from runner.api.interfaces import Power, PowerReading, PowerState, PowerVerb
from runner.connect.ending import exception_of
from runner.connect.timeline import Timeline


class ReplayedPower(Power):
    """A power switch that answers what it answered."""

    def __init__(self, timeline: Timeline, device: str) -> None:
        """Answer for a device."""
        self._timeline = timeline
        self._device = device

    def on(self) -> None:
        """Switch it on."""
        self._asked("on")

    def off(self) -> None:
        """Switch it off."""
        self._asked("off")

    def state(self) -> PowerState | None:
        """Return what was read."""
        return typing.cast("PowerState | None", self._asked("state"))

    def read(self) -> PowerReading | None:
        """Return what was measured."""
        answer = self._asked("read")
        return None if answer is None else decode(PowerReading, answer)

    def cycle(self) -> None:
        """Let the switch itself take the power away and give it back."""
        self._asked("cycle")

    def force_on(self) -> None:
        """Switch it on past what keeps it off."""
        self._asked("force_on")

    def force_off(self) -> None:
        """Switch it off past what keeps it on."""
        self._asked("force_off")

    def rescue(self) -> None:
        """Start the board in its rescue mode."""
        self._asked("rescue")

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return what it could do besides."""
        return tuple(self._asked("capabilities"))

    def label(self) -> str:
        """Return which outlet it was."""
        return str(self._asked("label"))

    def _asked(self, method: str) -> Any:
        asked = self._timeline.ask(self._device, method)
        if asked.error is not None:
            raise exception_of(Ended(**asked.error))
        return asked.answer
