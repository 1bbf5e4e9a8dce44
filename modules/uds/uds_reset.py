"""Reset a control unit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Module, Result, TimedOut, Unreachable, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import NEGATIVE_HELP, WITHIN_HELP, ask, code_of, echoed, negative_misfits

_LOOK = Duration("50ms")
"""How long one question whether it is there may wait for its answer, besides the device's leeway."""


class UdsWasReset(Result):
    """How it took the reset."""

    back_after: Duration
    """How long it took to answer again; 0 when that was not waited for."""
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsReset(Module):
    """Reset a control unit and wait until it answers again (ECUReset, 0x11).

    Example::

        - uds_reset: hard
        - uds_reset: {kind: soft, back_within: 5s}
    """

    kind: Literal["hard", "key_off_on", "soft"] | int = arg(
        default="hard", primary=True, help="its name or number"
    )
    back_within: Duration | None = arg(
        default=Duration("10s"),
        help="how long it may take to answer TesterPresent again; null: do not wait for that",
    )
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    def run(self, context: Context) -> UdsWasReset:
        """Ask for it, then ask whether it is there until it is."""
        kinds = {"hard": 1, "key_off_on": 2, "soft": 3}
        number = kinds[self.kind] if isinstance(self.kind, str) else self.kind
        answer = ask(self.uds, bytes([0x11, number]), context, self.expect_negative, self.within)
        if answer.code is not None:
            return UdsWasReset(back_after=Duration(0), negative=code_of(answer))
        echoed(answer, bytes([number]))
        elapsed = Duration(0) if self.back_within is None else self._back(self.back_within, context)
        return UdsWasReset(back_after=elapsed, negative="")

    def _back(self, limit: Duration, context: Context) -> Duration:
        began = time.monotonic()
        while True:
            try:
                ask(self.uds, b"\x3e\x00", context, within=_LOOK)
            except (TimedOut, Unreachable) as error:
                context.sleep(_LOOK)
                if time.monotonic() - began > limit:
                    raise TimedOut(
                        f"it did not answer again within {limit} after its reset",
                        evidence={"limit": "back_within", "within": float(limit)},
                    ) from error
            else:
                return Duration(time.monotonic() - began)
