"""A power switch that tells what it was asked, for the recording of the run."""

from __future__ import annotations

import dataclasses
import time
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runner.agent.calls import Heard, Switched
from runner.agent.endings import ended
from runner.agent.stop import Stop
from runner.api.codec import encode, hints
from runner.api.interfaces import Power, PowerReading, PowerState, PowerVerb
from runner.api.switch_calls import SwitchCalls
from runner.api.values import Duration

_Answer = TypeVar("_Answer")


def told_devices(
    cls: type, devices: Mapping[str, Any], paths: Mapping[str, Any], bench: str, hear: Callable[[Heard], None]
) -> dict[str, Any]:
    """Return what each slot of a module gets: power switches that tell `hear` what they are asked.

    Only a slot of the type `Power` is served in this way: one that wants a certain driver gets it.
    """
    found = dict(devices)
    for slot, given in devices.items():
        kind = hints(cls)[slot]
        if Power not in (kind, *typing.get_args(kind)):
            continue
        if isinstance(given, tuple):
            named = zip(given, paths[slot], strict=True)
            found[slot] = tuple(ToldPower(power, bench, path, hear) for power, path in named)
        elif given is not None:
            found[slot] = ToldPower(given, bench, paths[slot], hear)
    return found


class ToldPower(Power):
    """Passes every call on to a switch, and what came of it to whoever hears the step."""

    def __init__(self, power: Power, bench: str, device: str, hear: Callable[[Heard], None]) -> None:
        """Tell `hear` what is asked of `power`."""
        self._power = power
        self._bench = bench
        self._device = device
        self._hear = hear

    @property
    def switch_calls(self) -> SwitchCalls | None:
        """Where calls to the switch are made: one for all steps."""
        return self._power.switch_calls

    @switch_calls.setter
    def switch_calls(self, calls: SwitchCalls | None) -> None:
        self._power.switch_calls = calls

    @property
    def answers_within(self) -> Duration:
        """How long it may take to answer."""
        return self._power.answers_within

    def abandon(self) -> bool:
        """End the call that is under way."""
        return self._power.abandon()

    def on(self) -> None:
        """Switch it on."""
        self._told("on", self._power.on)

    def off(self) -> None:
        """Switch it off."""
        self._told("off", self._power.off)

    def state(self) -> PowerState | None:
        """Read the state back."""
        return self._told("state", self._power.state)

    def read(self) -> PowerReading | None:
        """Measure."""
        return self._told("read", self._power.read)

    def cycle(self) -> None:
        """Let the switch itself take the power away and give it back."""
        self._told("cycle", self._power.cycle)

    def force_on(self) -> None:
        """Switch it on past what keeps it off."""
        self._told("force_on", self._power.force_on)

    def force_off(self) -> None:
        """Switch it off past what keeps it on."""
        self._told("force_off", self._power.force_off)

    def rescue(self) -> None:
        """Start the board in its rescue mode."""
        self._told("rescue", self._power.rescue)

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return what it can do besides."""
        return self._told("capabilities", self._power.capabilities)

    def label(self) -> str:
        """Return which outlet it is."""
        return self._told("label", self._power.label)

    def _told(self, method: str, call: Callable[[], _Answer]) -> _Answer:
        began = time.monotonic_ns()
        try:
            answer = call()
        except BaseException as error:
            self._tell(method, began, None, dataclasses.asdict(ended(error, Stop())))
            raise
        self._tell(method, began, encode(answer), None)
        return answer

    def _tell(self, method: str, began: int, answer: object, how: dict[str, object] | None) -> None:
        self._hear(
            Switched(
                bench=self._bench,
                device=self._device,
                method=method,
                began_ns=began,
                ended_ns=time.monotonic_ns(),
                answer=answer,
                ended=how,
            )
        )
