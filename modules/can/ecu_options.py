"""What can be said about a simulated control unit in an inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import BytePattern, ByteString, Duration, Options, arg
from runner.api.formula import Formula
from runner.api.misfit import Misfit
from runner.api.uds_codes import negative_code


class EcuFrame(Options):
    """A frame."""

    id: int = arg(help="its identifier", minimum=0, maximum=0x1FFFFFFF)
    data: ByteString = arg(default=ByteString(""), help="its bytes")
    extended: bool | None = arg(default=None, help="29 bits; left out: when it is above 0x7FF")
    fd: bool = arg(default=False, help="a CAN FD frame")


class EcuPeriodic(EcuFrame):
    """A frame that is sent again and again."""

    period: Duration = arg(default=Duration("100ms"), help="the time between two of them")


class EcuAnswer(Options):
    """Frames that answer a frame."""

    id: int = arg(help="the identifier of the request", minimum=0, maximum=0x1FFFFFFF)
    data: BytePattern | None = arg(default=None, help="its bytes, ?? for any; left out: whatever they are")
    frames: list[EcuFrame] = arg(help="what is sent then")
    delay: Duration = arg(default=Duration(0), help="after this time")
    times: int = arg(default=0, help="how often at most; 0: always", minimum=0)


class EcuMessage(Options):
    """An ISO-TP message that answers one, for what is no UDS."""

    request: BytePattern = arg(help="the request, ?? for any byte")
    answer: ByteString = arg(help="what is sent then")


class EcuDid(Options):
    """A data identifier."""

    id: int = arg(help="its number", minimum=0, maximum=0xFFFF)
    data: ByteString = arg(default=ByteString(""), help="what it holds at first")
    text: str = arg(default="", help="the same as ASCII, instead of data")
    writable: bool = arg(default=False, help="whether it can be written, with as many bytes")
    security: int = arg(default=0, help="the level that writing needs; 0: none", minimum=0, maximum=0x7D)
    sessions: list[int] = arg(default=[], help="the sessions in which it can be written; empty: any")

    def content(self) -> bytes:
        """Return what it holds at first."""
        return self.text.encode("ascii", "replace") if self.text else bytes(self.data)


class EcuSecurity(Options):
    """A level of security access."""

    level: int = arg(default=1, help="the odd number that asks for its seed", minimum=1, maximum=0x7D)
    seed: ByteString = arg(help="the seed that it gives")
    key: str = arg(help="the key to it: a formula of seed and level, say seed ^ 0x5A5A5A5A")
    attempts: int = arg(default=3, help="wrong keys after which it is closed for a while", minimum=1)
    delay: Duration = arg(default=Duration("10s"), help="for how long")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say what is wrong with the formula."""
        try:
            Formula(given["key"], "seed", "level")
        except ValueError as error:
            yield Misfit("key", str(error))
        if given["level"] % 2 == 0:
            yield Misfit("level", "the level is the odd number of its seed request")


class EcuDtc(Options):
    """A trouble code."""

    code: int = arg(help="its number, of three bytes", minimum=0, maximum=0xFFFFFF)
    status: int = arg(default=0x09, help="its status byte", minimum=0, maximum=0xFF)


class EcuRoutine(Options):
    """A routine."""

    id: int = arg(help="its number", minimum=0, maximum=0xFFFF)
    result: ByteString = arg(default=ByteString(""), help="what it answers when it is started or asked")
    security: int = arg(default=0, help="the level that it needs; 0: none", minimum=0, maximum=0x7D)
    takes: Duration = arg(default=Duration(0), help="how long its start takes; it says pending meanwhile")


class EcuMemory(Options):
    """Memory that can be downloaded into and uploaded from."""

    address: int = arg(default=0, help="where it begins", minimum=0)
    size: int = arg(default=65536, help="how many bytes it has", minimum=1)
    block: int = arg(default=1026, help="the longest TransferData that it takes", minimum=3, maximum=4095)
    security: int = arg(default=0, help="the level that it needs; 0: none", minimum=0, maximum=0x7D)
    sessions: list[int] = arg(default=[2], help="the sessions in which it can be reached")


class EcuFault(Options):
    """Something that goes wrong, on purpose."""

    request: BytePattern = arg(help='the first bytes of the requests that it befalls: "22 F1 ??"')
    what: Literal["late", "lost", "wrong", "negative", "pending"] = arg(
        help="late: the answer comes after delay; lost: there is none; wrong: it is answer instead; "
        "negative: it is the code; pending: it says so again and again for delay, then answers"
    )
    delay: Duration = arg(default=Duration("1s"), help="of late and pending")
    answer: ByteString = arg(default=ByteString(""), help="of wrong")
    code: str | int = arg(default="generalReject", help="of negative: name or number")
    times: int = arg(default=0, help="how often; 0: always", minimum=0)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say what is wrong with the code."""
        try:
            negative_code(given["code"])
        except ValueError as error:
            yield Misfit("code", str(error))


class EcuUds(Options):
    """Its UDS server."""

    sessions: list[int] = arg(default=[1, 2, 3], help="the sessions that it has")
    p2: Duration = arg(default=Duration("50ms"), help="the P2 that it promises")
    p2_star: Duration = arg(default=Duration("5s"), help="the P2* that it promises")
    session_timeout: Duration = arg(
        default=Duration("5s"), help="S3: without a request for so long it is back in the default session"
    )
    dids: list[EcuDid] = arg(default=[], help="its data identifiers")
    security: list[EcuSecurity] = arg(default=[], help="its levels of security access")
    dtcs: list[EcuDtc] = arg(default=[], help="its trouble codes")
    routines: list[EcuRoutine] = arg(default=[], help="its routines")
    memory: EcuMemory | None = arg(default=None, help="what can be downloaded into and uploaded from")
    boot_time: Duration = arg(default=Duration("100ms"), help="how long it is deaf after a reset")
    faults: list[EcuFault] = arg(default=[], help="what goes wrong, on purpose")
