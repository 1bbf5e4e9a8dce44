"""TFTP's packets (RFC 1350, 5; options: RFC 2347): functions of bytes, no port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Union

READ, WRITE, DATA, ACK, ERROR, OACK = 1, 2, 3, 4, 5, 6

NOT_DEFINED, NOT_FOUND, ACCESS_VIOLATION, DISK_FULL, ILLEGAL, UNKNOWN_TRANSFER = range(6)
REFUSED_OPTIONS = 8
"""RFC 2347: the options that were acknowledged are not to be had."""
ERRORS = {
    NOT_DEFINED: "not defined",
    NOT_FOUND: "file not found",
    ACCESS_VIOLATION: "access violation",
    DISK_FULL: "disk full",
    ILLEGAL: "illegal operation",
    UNKNOWN_TRANSFER: "unknown transfer",
    6: "file exists",
    7: "no such user",
    REFUSED_OPTIONS: "options refused",
}


class Malformed(ValueError):
    """Bytes that are no packet of TFTP."""


class Request(NamedTuple):
    """RRQ or WRQ; the names of options are in small letters."""

    opcode: int
    file: str
    mode: str
    options: Mapping[str, str]


class Data(NamedTuple):
    """DATA; the number is that of the packet, so it wraps."""

    block: int
    payload: bytes


class Ack(NamedTuple):
    """ACK."""

    block: int


class Error(NamedTuple):
    """ERROR."""

    code: int
    text: str

    def __str__(self) -> str:
        """Say what it means, and what the peer said."""
        meaning = ERRORS.get(self.code, f"error {self.code}")
        return f"{meaning} ({self.text})" if self.text else meaning


class OptionAck(NamedTuple):
    """OACK."""

    options: Mapping[str, str]


Packet = Union[Request, Data, Ack, Error, OptionAck]


def request(file: str, options: Mapping[str, str], *, opcode: int = READ, mode: str = "octet") -> bytes:
    r"""Return RRQ or WRQ.

    >>> request("kernel", {"blksize": "1468"})
    b'\x00\x01kernel\x00octet\x00blksize\x001468\x00'
    """
    return _opcode(opcode) + _strings((file, mode)) + _pairs(options)


def data(block: int, payload: bytes) -> bytes:
    """Return DATA of a block, counted from 1 without end: the number wraps to 0 after 65535."""
    return b"\0\x03" + (block & 0xFFFF).to_bytes(2, "big") + payload


def ack(block: int) -> bytes:
    """Return ACK of a block, counted like those of `data`."""
    return b"\0\x04" + (block & 0xFFFF).to_bytes(2, "big")


def error(code: int, text: str) -> bytes:
    """Return ERROR."""
    return _opcode(ERROR) + _opcode(code) + _strings((text,))


def option_ack(options: Mapping[str, str]) -> bytes:
    """Return OACK."""
    return _opcode(OACK) + _pairs(options)


def parse(packet: bytes) -> Packet:
    r"""Read a packet; raise Malformed when it is none.

    >>> parse(b"\x00\x04\x00\x07")
    Ack(block=7)
    """
    if len(packet) < 4:
        raise Malformed(f"{len(packet)} bytes are no packet")
    opcode, number = int.from_bytes(packet[:2], "big"), int.from_bytes(packet[2:4], "big")
    if opcode == DATA:
        return Data(number, packet[4:])
    if opcode == ACK:
        return Ack(number)
    if opcode == ERROR:
        return Error(number, packet[4:].partition(b"\0")[0].decode("utf-8", "replace"))
    if opcode == OACK:
        return OptionAck(_options(_split(packet[2:])))
    if opcode in (READ, WRITE):
        return _request(opcode, _split(packet[2:]))
    raise Malformed(f"no operation has the number {opcode}")


def _request(opcode: int, strings: list[str]) -> Request:
    if len(strings) < 2 or not strings[0]:
        raise Malformed("a request names a file and a mode")
    return Request(opcode, strings[0], strings[1].lower(), _options(strings[2:]))


def _options(strings: list[str]) -> dict[str, str]:
    """Pair names and values; RFC 2347 takes names in capitals, too."""
    if len(strings) % 2:
        raise Malformed("an option has no value")
    return {name.lower(): value for name, value in zip(strings[::2], strings[1::2], strict=True)}


def _split(body: bytes) -> list[str]:
    if not body.endswith(b"\0"):
        raise Malformed("a string does not end")
    try:
        return [each.decode("utf-8") for each in body[:-1].split(b"\0")]
    except UnicodeDecodeError as fault:
        raise Malformed("a string is not UTF-8") from fault


def _opcode(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _strings(strings: tuple[str, ...]) -> bytes:
    return b"".join(each.encode() + b"\0" for each in strings)


def _pairs(options: Mapping[str, str]) -> bytes:
    return b"".join(_strings(each) for each in options.items())
