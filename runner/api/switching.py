"""Switching a board's power so that every fault of the switch is the lab's, and names the outlet.

A switch may refuse, fail, answer late or never. Whatever it does, a module that asks it through
`Outlet` ends with a LabError that says which bench, which device and which outlet; a board that
then does not boot is never blamed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from runner.api.context import Context
from runner.api.interfaces import Power, PowerReading, PowerState, PowerVerb
from runner.api.switch_calls import NoAnswer, SwitchCalls
from runner.api.values import Duration
from runner.api.verdicts import Failed, LabError, TimedOut, Unreachable, Unsupported

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_GRACE = 0.5
"""Seconds that a switch gets beyond its limit, so that a driver's own, better message comes first."""

_Answer = TypeVar("_Answer")
Verified = Literal["state", "console", "state and console", "none"]
"""What has made sure that a switch did what it was told."""


class Unverified(LabError):
    """A switch has taken an order well, and the board or the switch itself says that nothing came of it."""


class Outlet:
    """A board's power switch in the hands of a module: with limits, checks and its name in every error.

    `within`: how long it may take to answer, and as long again to read back as it should.
    """

    def __init__(self, power: Power, context: Context, *, within: Duration, slot: str = "power") -> None:
        """Take the switch that the module has in its device field `slot`; nothing is asked yet."""
        self._power = power
        self._context = context
        self._within = within
        self._device = context.devices.get(slot, slot)
        self.label = power.label()
        """What the driver calls it; empty when there is only one."""
        self.name = outlet(context, slot) + (f" ({self.label})" if self.label else "")
        """What to call it: the device, the bench, and what the driver calls the outlet."""

    @property
    def evidence(self) -> dict[str, object]:
        """Which switch it is, for the evidence of an error."""
        named = {"outlet": self.label} if self.label else {}
        return {"bench": self._context.bench, "device": self._device, **named}

    def turn(self, wanted: PowerState) -> None:
        """Switch it; raise LabError when it refuses or does not answer."""
        self._ask(f"switched {wanted}", self._power.on if wanted == "on" else self._power.off)

    def force(self, wanted: PowerState) -> None:
        """Switch it past what keeps it as it is; raise Unsupported when it cannot."""
        self._ask(f"forced {wanted}", self._power.force_on if wanted == "on" else self._power.force_off)

    def cycle(self) -> None:
        """Let the switch itself take the power away and give it back; raise Unsupported when it cannot."""
        self._ask("cycled by itself", self._power.cycle)

    def rescue(self) -> None:
        """Start the board in its rescue mode; raise Unsupported when the switch does not lead there."""
        self._ask("used to start the rescue mode", self._power.rescue)

    def read(self) -> PowerReading:
        """Measure; raise Unsupported when it cannot."""
        reading = self._ask("measured", self._power.read)
        if reading is None:
            raise Unsupported(f"{self.name} cannot measure", evidence=self.evidence)
        return reading

    def reading(self) -> PowerReading | None:
        """Measure; None when it cannot."""
        return self._ask("measured", self._power.read)

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return what it can do besides switching on and off; nothing is asked of the hardware."""
        return self._power.capabilities()

    def refuse_without(self, verb: PowerVerb) -> None:
        """Raise Unsupported unless it can do this."""
        if verb not in self.capabilities():
            can = ", ".join(self.capabilities()) or "only 'on' and 'off'"
            raise Unsupported(f"{self.name} cannot {verb!r}: it can {can}", evidence=self.evidence)

    def state(self) -> PowerState | None:
        """Read it; None when it cannot tell."""
        return self._ask("read", self._power.state)

    def state_before(self, verify: Literal["auto", "state", "none"]) -> PowerState | None:
        """Read it before anything is done; None when it is not to be read or cannot be.

        Raise Unsupported when its state must be verified and it cannot tell.
        """
        state = None if verify == "none" else self.state()
        if state is None and verify == "state":
            raise Unsupported(
                f"{self.name} cannot read its state back", evidence=self.evidence, hint="write verify: auto"
            )
        return state

    def would_turn(self, wanted: PowerState) -> str:
        """Return what switching it would change, in words; it is read, and not switched."""
        state = self.state()
        if state == wanted:
            return f"{self.name} is {state} already: nothing would change"
        return f"would switch {wanted} {self.name}: {_told(state)}"

    def told_state(self) -> str:
        """Read it, and return that in words."""
        return _told(self.state())

    def confirm(self, wanted: PowerState) -> PowerState:
        """Read it until it says `wanted`; raise LabError when it does not in time."""
        clock = Clock(self._context)
        pause = _FIRST_PAUSE
        while (state := self.state()) != wanted:
            if clock.elapsed + pause > self._within:
                raise Unverified(
                    f"{self.name} still reads {state or 'nothing'}, {self._within} after it was switched "
                    f"{wanted}",
                    evidence={
                        **self.evidence,
                        "expected": wanted,
                        "actual": state,
                        "within": float(self._within),
                    },
                    hint="does its relay work, and does something else switch this outlet? "
                    "A slow one gets more time by 'within'",
                )
            with self.blamed(f"it was awaited to read {wanted}, and read {state or 'nothing'}"):
                self._context.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return wanted

    @contextmanager
    def blamed(self, doing: str) -> Iterator[None]:
        """Blame the switch, and not the board, for a time that is over while we wait for the switch."""
        try:
            yield
        except TimedOut as error:
            raise LabError(
                f"{self.name}: {error.message}, while {doing}",
                evidence={**self.evidence, **error.evidence},
                hint="give the step more time, or the switch less with 'within'",
            ) from error

    def _ask(self, doing: str, call: Callable[[], _Answer]) -> _Answer:
        calls = self._power.switch_calls = self._power.switch_calls or SwitchCalls()
        if calls.busy:
            raise Unreachable(
                f"{self.name} has still not answered an earlier call, so it cannot be {doing}",
                evidence=self.evidence,
                hint="its driver is stuck: close the bench, and restart the switch",
            )
        try:
            limit = max(self._within, self._power.answers_within)
            return calls.ask(call, float(limit) + _GRACE, self._context)
        except (LabError, Failed) as error:
            raise _same_kind(error)(
                f"{self.name} could not be {doing}: {error.message}",
                evidence={**self.evidence, **error.evidence},
                hint=error.hint,
            ) from error
        except NoAnswer:
            if self._power.abandon():
                calls.settle(_GRACE)
            raise self._no_answer(doing) from None
        except OSError as error:
            raise Unreachable(
                f"{self.name} could not be {doing}: {type(error).__name__}: {error}", evidence=self.evidence
            ) from error

    def _no_answer(self, doing: str) -> LabError:
        if self._context.cancelled:
            with self.blamed(f"it was to be {doing} and did not answer"):
                self._context.check_cancelled()
        return Unreachable(
            f"{self.name} did not answer within {self._within} when it was to be {doing}",
            evidence={**self.evidence, "within": float(self._within)},
            hint="is the switch on the network and powered? A slow one gets more time by 'within'",
        )


class Clock:
    """Counts the time as the step's context does, so that a virtual clock counts here, too."""

    def __init__(self, context: Context) -> None:
        """Begin now."""
        self._context = context
        self._left = float(context.left)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._left - float(self._context.left)


def verified(*, state: bool, console: bool) -> Verified:
    """Return what has made sure, of the two that can.

    >>> verified(state=True, console=False)
    'state'
    """
    if state:
        return "state and console" if console else "state"
    return "console" if console else "none"


def outlet(context: Context, slot: str) -> str:
    """Return what to call the switch in the slot of a module: the device's name, and the bench.

    Messages name it, so that a wrong or a broken outlet is found.
    """
    return f"{context.devices.get(slot, slot)!r} on bench {context.bench!r}"


def _told(state: PowerState | None) -> str:
    return f"it is {state}" if state else "its state cannot be read"


def _same_kind(error: LabError | Failed) -> type[LabError]:
    """Return the class of the lab's errors that fits: a switch cannot fail on the board's behalf."""
    return next((kind for kind in (Unreachable, Unsupported) if isinstance(error, kind)), LabError)
