"""A storage mux in the hands of a module: its name in every error, and its position read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from runner.api import Context, Duration, LabError, MuxPosition, StorageMux, Unreachable, Unsupported
from runner.api.switching import Clock

_PAUSE = 0.05
"""Seconds between two readings of a mux that has not moved yet."""

_Answer = TypeVar("_Answer")


class Mux:
    """The mux that a module has in its device field `slot`."""

    def __init__(self, mux: StorageMux, context: Context, slot: str = "mux") -> None:
        """Take it; nothing is asked yet."""
        self._mux = mux
        self._context = context
        label = mux.label()
        device = context.devices.get(slot, slot)
        self.name = f"{device!r} on bench {context.bench!r}" + (f" ({label})" if label else "")
        self._evidence: dict[str, object] = {"bench": context.bench, "device": device, "mux": label}

    def position(self) -> MuxPosition | None:
        """Read who has the medium; None when it cannot tell."""
        return self._ask("be read", self._mux.position)

    def medium(self) -> str:
        """Return the path of the medium on the host; raise Unreachable when it is not there."""
        return self._ask("show its medium", self._mux.medium)

    def move(self, wanted: MuxPosition) -> None:
        """Give the medium to one side; raise LabError when it refuses."""
        self._ask(f"be switched to {wanted!r}", lambda: self._mux.switch(wanted))

    def confirm(self, wanted: MuxPosition, within: Duration) -> None:
        """Read it until it says `wanted`; raise LabError when it does not in time."""
        clock = Clock(self._context)
        while (position := self.position()) != wanted:
            if clock.elapsed + _PAUSE > within:
                raise LabError(
                    f"{self.name} reads {position!r}, {within} after it was switched to {wanted!r}",
                    evidence={**self._evidence, "expected": wanted, "actual": position},
                    hint="is it set up for being switched (see its driver), and does nothing else switch it?",
                )
            self._context.sleep(_PAUSE)

    def _ask(self, doing: str, call: Callable[[], _Answer]) -> _Answer:
        try:
            return call()
        except LabError as error:
            kind = next((each for each in (Unreachable, Unsupported) if isinstance(error, each)), LabError)
            raise kind(
                f"{self.name} could not {doing}: {error.message}",
                evidence={**self._evidence, **error.evidence},
                hint=error.hint,
            ) from error
