"""Values with a meaning: durations, sizes, byte strings, files.

They are subclasses of plain Python types, so that arithmetic, comparison and
JSON work on them as on numbers and text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_DURATION_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|h|m|s)")
_SIZE_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B|B|)")
_HEX_BYTE = re.compile(r"[0-9a-fA-F]{2}")


class Duration(float):
    """A length of time in seconds.

    >>> Duration("1m30s") + 1
    91.0
    >>> str(Duration("1500ms"))
    '1.5s'
    """

    __slots__ = ()

    def __new__(cls, value: str | float) -> Duration:
        """Take seconds, or text such as ``2s``, ``500ms``, ``1m30s``, ``2h``; raise ValueError otherwise."""
        if not isinstance(value, str):
            return super().__new__(cls, _not_negative(value))
        return super().__new__(cls, _seconds(value.strip()))

    def __str__(self) -> str:
        """Write it as a person would: ``90ms``, ``1.5s``, ``1m30s``, ``2h``."""
        if 0 < self < 1:
            return f"{self * 1000:.4g}ms"
        if self < 60:
            return f"{float(self):.4g}s"
        minutes, seconds = divmod(float(self), 60)
        hours, minutes = divmod(int(minutes), 60)
        parts = ((hours, "h"), (minutes, "m"), (round(seconds, 3), "s"))
        return "".join(f"{amount:g}{unit}" for amount, unit in parts if amount) or "0s"


def _not_negative(value: float) -> float:
    if isinstance(value, bool) or value < 0 or math.isnan(value):
        raise ValueError(f"{value!r} is not a duration: write 2s, 500ms, 1m30s, 2h or seconds")
    return value


def _seconds(text: str) -> float:
    try:
        return _not_negative(float(text))
    except ValueError:
        pass
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration: write 2s, 500ms, 1m30s, 2h or seconds")
    return sum(float(amount) * _DURATION_UNITS[unit] for amount, unit in parts)


class Size(int):
    """A number of bytes.

    >>> Size("4KiB")
    4096
    >>> str(Size(16 * 2**20))
    '16 MiB'
    """

    __slots__ = ()

    def __new__(cls, value: str | int) -> Size:
        """Take bytes, or text such as ``4KiB``, ``16MiB``, ``2GB``; raise ValueError otherwise."""
        if isinstance(value, str):
            match = _SIZE.fullmatch(value.strip())
            if match is None:
                raise ValueError(f"{value!r} is not a size: write 4KiB, 16MiB, 2GB or bytes")
            return super().__new__(cls, int(float(match[1]) * _SIZE_UNITS[match[2]]))
        if isinstance(value, bool) or value < 0:
            raise ValueError(f"{value!r} is not a size: write 4KiB, 16MiB, 2GB or bytes")
        return super().__new__(cls, value)

    def __str__(self) -> str:
        """Write it with the largest binary unit that keeps it readable."""
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            if self >= _SIZE_UNITS[unit]:
                return f"{int(self) / _SIZE_UNITS[unit]:.4g} {unit}"
        return f"{int(self)} B"


class ByteString(bytes):
    """Bytes, written as hexadecimal pairs or a list of numbers.

    >>> ByteString("02 01 0C").hex(" ")
    '02 01 0c'
    """

    __slots__ = ()

    def __new__(cls, value: str | bytes | Iterable[int]) -> ByteString:
        """Take ``"02 01 0C"``, ``"02010C"``, bytes or numbers from 0 to 255; raise ValueError otherwise."""
        if not isinstance(value, str):
            return super().__new__(cls, bytes(value))
        return super().__new__(cls, (int(pair, 16) for pair in _pairs(value, wildcards=False)))

    def __str__(self) -> str:
        """Write it as hexadecimal pairs."""
        return self.hex(" ").upper()


class BytePattern(str):
    """A byte string in which ``??`` stands for any byte.

    >>> BytePattern("?? 02").matches(bytes([9, 2]))
    True
    """

    __slots__ = ()

    def __new__(cls, value: str | bytes | Iterable[int]) -> BytePattern:
        """Take ``"?? 02"``, bytes or numbers from 0 to 255; raise ValueError otherwise."""
        if not isinstance(value, str):
            return super().__new__(cls, str(ByteString(value)))
        return super().__new__(cls, " ".join(_pairs(value, wildcards=True)).upper())

    def matches(self, data: bytes) -> bool:
        """Tell whether `data` has this length and these bytes."""
        pairs = self.split()
        return len(pairs) == len(data) and all(
            pair == "??" or int(pair, 16) == byte for pair, byte in zip(pairs, data, strict=True)
        )


def _pairs(text: str, *, wildcards: bool) -> list[str]:
    packed = "".join(text.split())
    pairs = [packed[start : start + 2] for start in range(0, len(packed), 2)]
    for pair in pairs:
        if not _HEX_BYTE.fullmatch(pair) and not (wildcards and pair == "??"):
            raise ValueError(f'{text!r} is not a byte string: write hexadecimal pairs, as in "02 01 0C"')
    return pairs


class FilePath(str):
    """The path of a file on the machine that runs `runner`, relative to the file that names it."""

    __slots__ = ()


class Secret(str):
    """Text that no log, event, console or report may show."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide the value, also in a traceback."""
        return "'******'"
