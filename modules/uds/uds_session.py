"""Change the session of a control unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Module, Result, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import NEGATIVE_HELP, WITHIN_HELP, ask, code_of, echoed, negative_misfits

_SESSIONS = {"default": 1, "programming": 2, "extended": 3, "safety": 4}


class UdsInSession(Result):
    """The session that it is in now, and the times that it promises for it."""

    session: int
    p2: Duration | None
    p2_star: Duration | None
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsSession(Module):
    """Change the diagnostic session of a control unit (DiagnosticSessionControl, 0x10).

    The P2 and P2* that it answers count from then on.

    Example::

        - uds_session: extended
        - uds_session: {session: programming, expect_negative: conditionsNotCorrect}
    """

    session: Literal["default", "programming", "extended", "safety"] | int = arg(
        primary=True, help="its name or number"
    )
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    def run(self, context: Context) -> UdsInSession:
        """Ask for it and learn its times."""
        number = _SESSIONS[self.session] if isinstance(self.session, str) else self.session
        answer = ask(self.uds, bytes([0x10, number]), context, self.expect_negative, self.within)
        if answer.code is not None:
            return UdsInSession(session=number, p2=None, p2_star=None, negative=code_of(answer))
        times = echoed(answer, bytes([number]))
        if len(times) < 4:  # ISO 14229-1 before 2013 has no times in the answer
            return UdsInSession(session=number, p2=None, p2_star=None, negative="")
        p2 = Duration(int.from_bytes(times[:2], "big") / 1000)
        p2_star = Duration(int.from_bytes(times[2:4], "big") / 100)
        self.uds.learn_timing(p2, p2_star)
        return UdsInSession(session=number, p2=p2, p2_star=p2_star, negative="")
