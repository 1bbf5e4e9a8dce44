"""Read, count and clear the trouble codes of a control unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Module, Result, arg, device
from runner.api.misfit import Misfit
from runner.api.uds import Uds
from runner.modules.uds.asking import (
    NEGATIVE_HELP,
    WITHIN_HELP,
    ask,
    code_of,
    made_by_library,
    negative_misfits,
    read_by_library,
    response_of,
)


class TroubleCode(Result):
    """A trouble code and its status."""

    code: int
    status: int
    shown: str
    """As it is spoken of: P0301-00 (ISO 15031-6; the last two digits are the failure type)."""


class UdsTrouble(Result):
    """The trouble codes, or how many there are."""

    count: int
    codes: tuple[TroubleCode, ...]
    """Empty when only counted or cleared."""
    availability: int
    """The status bits that the control unit knows; 0 when cleared."""
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsDtc(Module):
    """Read, count or clear the trouble codes of a control unit (0x19, 0x14).

    Example::

        - uds_dtc: count
          expect: result.count == 2
        - uds_dtc: {action: read, status: 0x08}
          expect: result.codes[0].shown == 'P0301-00'
        - uds_dtc: {action: clear}
    """

    action: Literal["read", "count", "clear", "supported"] = arg(
        primary=True, help="read, count or clear them; supported: all that it could ever have"
    )
    status: int = arg(
        default=0xFF, help="read and count those with any of these status bits", minimum=0, maximum=0xFF
    )
    group: int = arg(default=0xFFFFFF, help="clear this group or code", minimum=0, maximum=0xFFFFFF)
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=WITHIN_HELP)
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say that a negative response has no such name."""
        yield from negative_misfits(given)

    def run(self, context: Context) -> UdsTrouble:
        """Ask for it."""
        if self.action == "clear":
            request = b"\x14" + self.group.to_bytes(3, "big")
            negative = code_of(ask(self.uds, request, context, self.expect_negative, self.within))
            return UdsTrouble(count=0, codes=(), availability=0, negative=negative)
        from udsoncan.services.ReadDTCInformation import ReadDTCInformation

        kind = {"count": 0x01, "read": 0x02, "supported": 0x0A}[self.action]
        with made_by_library("uds_dtc"):
            mask = None if self.action == "supported" else self.status
            request = ReadDTCInformation.make_request(kind, status_mask=mask).get_payload()
        answer = ask(self.uds, request, context, self.expect_negative, self.within)
        if answer.code is not None:
            return UdsTrouble(count=0, codes=(), availability=0, negative=code_of(answer))
        with read_by_library(answer):
            response = ReadDTCInformation.interpret_response(response_of(answer), kind)
        found: Any = response.service_data
        return UdsTrouble(
            count=found.dtc_count,
            codes=tuple(_code(each) for each in found.dtcs),
            availability=found.status_availability.get_byte_as_int(),
            negative="",
        )


def _code(dtc: Any) -> TroubleCode:
    return TroubleCode(code=dtc.id, status=dtc.status.get_byte_as_int(), shown=shown(dtc.id))


def shown(code: int) -> str:
    """Write a trouble code as people speak of it (SAE J2012-DA, 5).

    >>> shown(0x030100), shown(0xC07388)
    ('P0301-00', 'U0073-88')
    """
    letter = "PCBU"[code >> 22]
    return f"{letter}{code >> 20 & 3}{code >> 8 & 0xFFF:03X}-{code & 0xFF:02X}"
