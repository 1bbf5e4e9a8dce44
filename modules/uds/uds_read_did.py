"""Read a data identifier of a control unit."""

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


class UdsRead(Result):
    """What the identifier holds."""

    value: DidValue
    """As the device describes it: text, a number, or bytes."""
    data: ByteString
    negative: str
    """The negative response that was expected, empty when there was none."""
    elapsed: Duration


class UdsReadDid(Module):
    """Read a data identifier of a control unit (ReadDataByIdentifier, 0x22).

    Example::

        - uds_read_did: vin
          expect: result.value == 'WAUZZZ4G6BN000001'
        - uds_read_did: {did: 0xF1FF, expect_negative: requestOutOfRange}
    """

    did: int | str = arg(primary=True, help="its number, or its name in 'dids' of the device")
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

    def run(self, context: Context) -> UdsRead:
        """Ask for it and decode what comes."""
        did = did_of(self.uds, self.did)
        number = did.id.to_bytes(2, "big")
        answer = ask(self.uds, b"\x22" + number, context, self.expect_negative, self.within)
        if answer.code is not None:
            empty = ByteString("")
            return UdsRead(value=empty, data=empty, negative=code_of(answer), elapsed=answer.elapsed)
        data = echoed(answer, number)
        return UdsRead(value=did.read(data), data=ByteString(data), negative="", elapsed=answer.elapsed)
