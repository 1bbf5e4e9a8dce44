"""What the consoles of a board say about its power: nothing while it is off, something once it is on."""

from __future__ import annotations

from collections.abc import Sequence

from runner.api import Context, Duration
from runner.api.switching import Clock, Outlet, Unverified
from runner.console.console import Console

_DYING = 0.5
"""Seconds in which a board may still say something after its power is gone."""
_LISTEN = 0.02


class Witnesses:
    """The consoles of a board, asked whether it has power."""

    def __init__(self, consoles: Sequence[Console], outlet: Outlet, context: Context) -> None:
        """Take all consoles of the board that the outlet feeds."""
        self._consoles = consoles
        self._outlet = outlet
        self._context = context

    @property
    def positions(self) -> tuple[int, ...]:
        """How many bytes each of them has received."""
        return tuple(console.position() for console in self._consoles)

    @property
    def known_to_talk(self) -> bool:
        """Whether one of them has said something since it was opened: a silent one proves nothing."""
        return any(self.positions)

    def mark(self) -> tuple[int, ...]:
        """Tell them that the board starts anew; return where they are."""
        before = self.positions
        for console in self._consoles:
            console.power_mark()
        return before

    def stay_off(self, seconds: Duration, *, silent: bool) -> None:
        """Let the time pass in which the power is off; with `silent`, raise LabError when the board talks.

        Its last words are forgiven: half a second, or half of the time when that is shorter.
        """
        dying = min(_DYING, seconds / 2)
        self._context.sleep(dying)
        before = self.positions
        self._context.sleep(seconds - dying)
        talked = sum(self.positions) - sum(before)
        if silent and talked:
            raise Unverified(
                f"{self._outlet.name} is switched off, but the board goes on talking",
                evidence={**self._outlet.evidence, "bytes": talked, "off_time": float(seconds)},
                hint="is this the board's outlet, does its relay work, and is the board not fed through "
                "its console or USB?",
            )

    def refuse_deaf(self) -> None:
        """Raise LabError when the port of no console is there: silence proves nothing then."""
        gone = [console.gone for console in self._consoles]
        if all(gone):
            raise Unverified(
                f"{self._outlet.name} is switched off, but nobody can tell whether the board is silent: "
                f"its console is gone: {gone[0]}",
                evidence=self._outlet.evidence,
                hint="is the adapter plugged in? One that the board itself feeds goes with its power, "
                "and wants verify: state",
            )

    def hear_first_byte(self, before: Sequence[int], within: Duration) -> None:
        """Wait until a console has received more than `before`; raise LabError when none does in time."""
        clock = Clock(self._context)
        while self.positions == tuple(before):
            if clock.elapsed > within:
                raise Unverified(
                    f"{self._outlet.name} is switched on, but no console said anything within {within}",
                    evidence={**self._outlet.evidence, "within": float(within)},
                    hint="is this the board's outlet, and are its consoles connected? A board that says "
                    "nothing when it starts wants verify: state",
                )
            with self._outlet.blamed("the board's first byte was awaited"):
                self._context.sleep(_LISTEN)
