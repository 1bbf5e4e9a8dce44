"""Diagnostics of a control unit (UDS, ISO 14229-1): requests and what they are answered."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runner.api.interfaces import Interface
from runner.api.module import Options, arg
from runner.api.values import ByteString, Duration
from runner.api.verdicts import Failed, RecipeFault

if TYPE_CHECKING:
    from runner.api.context import Context

DidValue = str | int | float | ByteString


class Did(Options):
    """A data identifier with a name: its number and how its bytes are read."""

    id: int = arg(primary=True, help="its number", minimum=0, maximum=0xFFFF)
    codec: Literal["bytes", "ascii", "uint", "int"] = arg(
        default="bytes", help="what its bytes are; int is signed, in two's complement"
    )
    length: int | None = arg(default=None, help="how many bytes it has; left out: any", minimum=1)
    byte_order: Literal["big", "little"] = arg(default="big", help="of uint and int")
    factor: float = arg(default=1.0, help="the number times this …")
    offset: float = arg(default=0.0, help="… plus this is the value")

    def read(self, data: bytes) -> DidValue:
        """Return what bytes mean; raise Failed when they are not that many, or no ASCII."""
        if self.length is not None and len(data) != self.length:
            raise Failed(
                f"DID 0x{self.id:04X} has {len(data)} bytes, expected {self.length}",
                evidence={"data": data.hex(" "), "expected": self.length},
            )
        match self.codec:
            case "bytes":
                return ByteString(data)
            case "ascii":
                return self._ascii(data)
            case _:
                number = int.from_bytes(data, self.byte_order, signed=self.codec == "int")
                return number if (self.factor, self.offset) == (1, 0) else number * self.factor + self.offset

    def written(self, value: DidValue) -> bytes:
        """Return the bytes of a value; raise RecipeFault for one that cannot be it."""
        data = self._bytes(value)
        if self.length is not None and len(data) != self.length:
            raise RecipeFault(f"DID 0x{self.id:04X} takes {self.length} bytes, not {len(data)}: {value!r}")
        return data

    def _ascii(self, data: bytes) -> str:
        try:
            return data.decode("ascii")
        except UnicodeDecodeError as error:
            raise Failed(f"DID 0x{self.id:04X} is no ASCII: {data.hex(' ')}") from error

    def _bytes(self, value: DidValue) -> bytes:
        if self.codec in {"uint", "int"} and isinstance(value, (int, float)):
            number = round((value - self.offset) / self.factor)
            length = self.length or max(1, (number.bit_length() + 8) // 8)
            try:
                return number.to_bytes(length, self.byte_order, signed=self.codec == "int")
            except OverflowError as error:
                raise RecipeFault(f"{value!r} does not fit into DID 0x{self.id:04X}: {error}") from error
        try:
            if self.codec == "ascii":
                return str(value).encode("ascii")
            if isinstance(value, (str, bytes)):
                return bytes(ByteString(value))
        except ValueError as error:
            raise RecipeFault(f"DID 0x{self.id:04X}: {error}") from error
        raise RecipeFault(f"DID 0x{self.id:04X} takes {self.codec}, not {value!r}")


@dataclass(frozen=True)
class UdsAnswer:
    """What a control unit answered; `code` is that of a negative response, None when it is positive."""

    service: int
    data: ByteString
    """After the service's identifier; of a negative response what comes after the code."""
    code: int | None
    elapsed: Duration
    """From the end of the request to the end of the answer."""


class Uds(Interface):
    """A control unit that can be asked; one request at a time."""

    dids: Mapping[str, Did]
    """The data identifiers that have names."""

    @abc.abstractmethod
    def ask(self, request: bytes, context: Context, *, timeout: Duration | None = None) -> UdsAnswer:
        """Send a request and return its answer; pending ones are waited through.

        `timeout`: how long the answer may take; None for P2 and, once it is pending, P2*. Raise
        TimedOut when none comes, Failed for what is no answer to this.
        """

    @abc.abstractmethod
    def tell(self, request: bytes, context: Context, *, functional: bool = False) -> None:
        """Send a request that is not answered."""

    @abc.abstractmethod
    def learn_timing(self, p2: Duration, p2_star: Duration) -> None:
        """Wait from now on as long as the control unit has promised for its session."""

    @abc.abstractmethod
    def keep_alive(self, every: Duration | None, *, functional: bool = False) -> None:
        """Send TesterPresent again and again, between requests; None: no more of it.

        Raise LabError when it had ended because a message could not be sent.
        """
