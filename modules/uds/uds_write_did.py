"""Write a data identifier of a control unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.api import ByteString, Context, Duration, Module, Result, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import DidValue, Uds
from runner.modules.uds.asking import (
    NEGATIVE_HELP,
    WITHIN_HELP,
    ask,
    code_of,
    did_misfits,
    did_of,
    echoed,
    negative_misfits,
)


class UdsWritten(Result):
    """What was written."""

    data: ByteString
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsWriteDid(Module):
    """Write a data identifier of a control unit (WriteDataByIdentifier, 0x2E).

    Example::

        - uds_write_did: {did: rpm_max, value: 6500}
        - uds_write_did: {did: 0xF198, value: "01 02", expect_negative: securityAccessDenied}
    """

    did: int | str = arg(help="its number, or its name in 'dids' of the device")
    value: int | float | str | ByteString = arg(
        help="what to write, as the device describes it: text, a number, or bytes"
    )
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    @classmethod
    def misfits_on(
        cls, given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[Misfit]:
        """Say that the device knows no such identifier."""
        yield from did_misfits(given, devices)

    def run(self, context: Context) -> UdsWritten:
        """Encode it and write it."""
        did = did_of(self.uds, self.did)
        value: DidValue = self.value
        data = did.written(value)
        number = did.id.to_bytes(2, "big")
        answer = ask(self.uds, b"\x2e" + number + data, context, self.expect_negative, self.within)
        if answer.code is None:
            echoed(answer, number)
        return UdsWritten(data=ByteString(data), negative=code_of(answer))
