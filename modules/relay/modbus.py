"""Modbus requests for coils as bytes (MODBUS Application Protocol V1.1b3, sections 6.1, 6.5 and 7).

A library would bring an event loop and servers for these two requests: pymodbus has more code for its
start than stands here.
"""

from __future__ import annotations

import struct

READ_COILS, WRITE_COIL = 0x01, 0x05
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge: it takes longer",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}


class Answered(Exception):
    """The device answered with an error, or with what no answer is."""


def read_coil(coil: int) -> bytes:
    """Return the request to read one coil."""
    return struct.pack(">BHH", READ_COILS, coil, 1)


def write_coil(coil: int, *, closed: bool) -> bytes:
    """Return the request to write one coil; its answer is the same bytes."""
    return struct.pack(">BHH", WRITE_COIL, coil, 0xFF00 if closed else 0)


def check(request: bytes, answer: bytes) -> None:
    """Raise Answered unless it is an answer to the request, and no error."""
    if answer[:1] == bytes([request[0] | 0x80]) and len(answer) == 2:
        raise Answered(f"exception {answer[1]} ({_EXCEPTIONS.get(answer[1], 'unknown')})")
    fits = answer == request if request[0] == WRITE_COIL else answer[:2] == b"\x01\x01" and len(answer) == 3
    if not fits:
        raise Answered(f"{answer.hex(' ') or 'nothing'}, which is no answer to {request.hex(' ')}")


def is_closed(answer: bytes) -> bool:
    """Return what an answer to `read_coil` says."""
    return bool(answer[2] & 1)


def length_after(request: bytes, function: int) -> int:
    """Return how many bytes of an answer come after its function code."""
    if function & 0x80:
        return 1
    return 4 if request[0] == WRITE_COIL else 2


def tcp_frame(number: int, unit: int, request: bytes) -> bytes:
    """Put a request into a frame (MODBUS Messaging on TCP/IP V1.0b, section 3.1.3)."""
    return struct.pack(">HHHB", number, 0, len(request) + 1, unit) + request


def tcp_header(header: bytes) -> tuple[int, int]:
    """Return the number of a frame and how many bytes follow its first seven; raise Answered for none."""
    number, protocol, length, _ = struct.unpack(">HHHB", header)
    if protocol or not 2 <= length <= 254:
        raise Answered(f"{header.hex(' ')}, which is no Modbus frame")
    return number, length - 1


def rtu_frame(unit: int, request: bytes) -> bytes:
    """Put a request into a frame (MODBUS over Serial Line V1.02, section 2.5.1)."""
    framed = bytes([unit]) + request
    return framed + checksum(framed)


def checksum(data: bytes) -> bytes:
    """Return the CRC of a frame, low byte first (the same, section 6.2.2).

    >>> checksum(bytes.fromhex("01 05 00 00 ff 00")).hex(" ")
    '8c 3a'
    """
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)
