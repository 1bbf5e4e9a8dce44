"""Send a request of bytes to a control unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.api import ByteString, Context, Duration, Module, Result, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import NEGATIVE_HELP, WITHIN_HELP, ask, code_of, negative_misfits


class UdsAnswered(Result):
    """What it answered, after the service's identifier."""

    data: ByteString
    negative: str
    """The negative response that was expected, empty when there was none."""
    elapsed: Duration


class UdsRequest(Module):
    """Send a request as bytes, for what no other module does; pending answers are waited through.

    Example::

        - uds_request: {data: "28 01 01"}
        - uds_request: {data: "85 02", expect_negative: serviceNotSupportedInActiveSession}
    """

    data: ByteString = arg(primary=True, help="the service's identifier and what follows")
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    def run(self, context: Context) -> UdsAnswered:
        """Send it."""
        answer = ask(self.uds, bytes(self.data), context, self.expect_negative, self.within)
        return UdsAnswered(data=answer.data, negative=code_of(answer), elapsed=answer.elapsed)
