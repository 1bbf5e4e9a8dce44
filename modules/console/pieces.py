"""Files as text that a shell can take and give, and their checksums; functions of bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal

Encoding = Literal["base64", "printf"]
Sum = Literal["sha256sum", "md5sum", "cksum"]

_LINE = 384
"""Bytes in a line: 512 characters of base64; a terminal takes 4095 (Linux, N_TTY_BUF_SIZE)."""
_OCTAL_LINE = 500
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_+,:@")
"""What stands for itself. Nothing that a shell would obey, should a line ever become a command."""
_TERMINAL = 3800
"""Characters that wait in a terminal until they are read; it holds 4095 (Linux, N_TTY_BUF_SIZE)."""
END = b"."
"""The line behind the last one."""


def lines_of(data: bytes, encoding: Encoding) -> Iterator[bytes]:
    r"""Return data as lines for `base64 -d`, or for the shell's `printf`.

    >>> list(lines_of(b"a\0b", "printf")), list(lines_of(b"a\0b", "base64"))
    ([b'\\141\\000b'], [b'YQBi'])
    """
    if encoding == "base64":
        yield from (base64.b64encode(data[at : at + _LINE]) for at in range(0, len(data), _LINE))
        return
    line = b""
    for byte in data:
        plain = byte in _PLAIN and line
        line += bytes([byte]) if plain else b"\\%03o" % byte
        if len(line) >= _OCTAL_LINE:
            yield line
            line = b""
    if line:
        yield line


def fitting(encoding: Encoding) -> int:
    """Return how many bytes a terminal holds as text, when nobody reads meanwhile.

    >>> fitting("base64"), fitting("printf")
    (2850, 950)
    """
    return _TERMINAL // 4 * (3 if encoding == "base64" else 1)


def receiving(encoding: Encoding, path: str) -> str:
    """Return the command that reads such lines up to the last one, into a file (`path` is quoted)."""
    begin = 'while IFS= read -r _l&&[ "$_l" != . ];do '
    if encoding == "base64":
        return f'{begin}echo "$_l";done|base64 -d>{path}'
    return f'{begin}printf "$_l";done>{path}'


_DUMPS: Mapping[str, tuple[str, Callable[[str], bytes]]] = MappingProxyType(
    {
        "base64": ("base64", lambda text: base64.b64decode(text, validate=True)),
        "od": ("od -An -v -tx1", bytes.fromhex),
        "hexdump": ("hexdump -v -e '1/1 \"%02x\"'", bytes.fromhex),
        "xxd": ("xxd -p", bytes.fromhex),
    }
)

DUMPS = tuple(_DUMPS)
"""Programs that print bytes as text, the shortest text first."""


def dumping(tool: str) -> str:
    """Return the command that prints its input as text."""
    return _DUMPS[tool][0]


def undumped(tool: str, text: str) -> bytes | None:
    """Return the bytes that were printed; None when the text is damaged."""
    try:
        return _DUMPS[tool][1](re.sub(r"\s", "", text))
    except (ValueError, binascii.Error):
        return None


def sum_of(data: bytes, tool: Sum) -> str:
    """Return what a checksum program says of its input, without the name.

    >>> sum_of(b"123456789", "cksum")
    '930766865 9'
    """
    if tool == "sha256sum":
        return hashlib.sha256(data).hexdigest()
    if tool == "md5sum":
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return f"{posix_crc(data)} {len(data)}"


def sum_in(output: str, tool: Sum) -> str:
    """Return the checksum in the last line of what was printed; empty when there is none."""
    words = (output.splitlines() or [""])[-1].split()
    return " ".join(words[: 2 if tool == "cksum" else 1])


def _table() -> Iterator[int]:
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1
        yield crc


_CRC = tuple(_table())


def posix_crc(data: bytes) -> int:
    """Return the CRC of cksum (POSIX.1-2017, cksum): of the bytes, and then of their number."""
    crc, number = 0, len(data)
    length = number.to_bytes((number.bit_length() + 7) // 8, "little")
    for byte in data + length:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC[crc >> 24 ^ byte]
    return crc ^ 0xFFFFFFFF
