"""Keep a session of a control unit open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Module, Result, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import NEGATIVE_HELP, WITHIN_HELP, ask, code_of, negative_misfits


class UdsPresent(Result):
    """Whether TesterPresent goes on by itself now."""

    state: str
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsTesterPresent(Module):
    """Say that the tester is there: once and answered, or again and again without an answer (0x3E).

    Started, it goes on between the steps until it is stopped, or to the end of the run; it never
    comes between a request and its answer.

    Example::

        - uds_tester_present:
        - uds_tester_present: {state: started, every: 2s}
        - uds_tester_present: {state: stopped}
    """

    state: Literal["once", "started", "stopped"] = arg(default="once", primary=True, help="which of them")
    every: Duration = arg(default=Duration("2s"), help="the time between two when it is started")
    functional: bool = arg(default=False, help="to every control unit, when it is started")
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    def run(self, context: Context) -> UdsPresent:
        """Say it, start or stop it."""
        if self.state == "once":
            answer = ask(self.uds, b"\x3e\x00", context, self.expect_negative, self.within)
            return UdsPresent(state=self.state, negative=code_of(answer))
        self.uds.keep_alive(self.every if self.state == "started" else None, functional=self.functional)
        return UdsPresent(state=self.state, negative="")
