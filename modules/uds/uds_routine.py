"""Start, stop or ask a routine of a control unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import ByteString, Context, Duration, Module, Result, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import NEGATIVE_HELP, WITHIN_HELP, ask, code_of, echoed, negative_misfits


class UdsRoutineDone(Result):
    """What the routine answered."""

    data: ByteString
    negative: str
    """The negative response that was expected, empty when there was none."""
    elapsed: Duration


class UdsRoutine(Module):
    """Start or stop a routine of a control unit, or ask for its results (RoutineControl, 0x31).

    Example::

        - uds_routine: {routine: 0xFF00, data: "44 00 01 00 00", within: 30s}
        - uds_routine: {routine: 0x0203, action: results}
          expect: result.data | hex == '00'
    """

    routine: int = arg(primary=True, help="its number", minimum=0, maximum=0xFFFF)
    action: Literal["start", "stop", "results"] = arg(default="start", help="what to do with it")
    data: ByteString = arg(default=ByteString(""), help="what it is given")
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    def run(self, context: Context) -> UdsRoutineDone:
        """Ask for it."""
        kind = {"start": 1, "stop": 2, "results": 3}[self.action]
        head = bytes([kind]) + self.routine.to_bytes(2, "big")
        request = b"\x31" + head + bytes(self.data)
        answer = ask(self.uds, request, context, self.expect_negative, self.within)
        data = echoed(answer, head) if answer.code is None else b""
        return UdsRoutineDone(data=ByteString(data), negative=code_of(answer), elapsed=answer.elapsed)
