"""Values with a meaning: durations, sizes, byte strings, files.

They are subclasses of plain Python types, so that arithmetic, comparison and
JSON work on them as on numbers and text.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping

_DURATION_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_DURATION = re.compile("".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in _DURATION_UNITS), re.ASCII)
_SECONDS = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
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
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B|B|)", re.ASCII)
_DIGITS = re.compile(r"[0-9a-f]{64}")
_SCHEMES = frozenset(
    "http https webdav webdavs ftp ftps sftp oci s3 gs gcs az azblob oss b2".split()  # noqa: SIM905 - a list of words
)
_HEX_BYTE = re.compile(r"[0-9a-fA-F]{2}")
_WRITE_BYTES = 'write hexadecimal pairs, as in "02 01 0C"'


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
        """Write it as a person would: ``90ms``, ``1.5s``, ``1m30s``, ``2h``; it can be read back."""
        if 0 < self < 1e-3:
            return f"{_plain(self * 1e6)}us"
        if 0 < self < 1:
            return f"{_plain(self * 1000)}ms"
        minutes, seconds = divmod(round(float(self), 3), 60)
        hours, minutes = divmod(int(minutes), 60)
        parts = ((str(hours), "h"), (str(minutes), "m"), (_plain(seconds), "s"))
        return "".join(f"{amount}{unit}" for amount, unit in parts if amount != "0") or "0s"


def _plain(amount: float) -> str:
    """Write a number with up to three decimals, never with an exponent."""
    return f"{amount:.3f}".rstrip("0").rstrip(".")


def _not_negative(value: float) -> float:
    if isinstance(value, bool) or not 0 <= value < math.inf:
        raise ValueError(f"{value!r} is not a duration: write 2s, 500ms, 1m30s, 2h or seconds")
    return value


def _seconds(text: str) -> float:
    if _SECONDS.fullmatch(text):
        return _not_negative(float(text))
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is not a duration: write 2s, 500ms, 1m30s, 2h or seconds")
    units = zip(match.groups(), _DURATION_UNITS.values(), strict=True)
    return sum(float(amount) * seconds for amount, seconds in units if amount)


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
        found = _bytes(value.strip()) if isinstance(value, str) else value
        if found is None or isinstance(found, (bool, float)) or found < 0:
            raise ValueError(f"{value!r} is not a size: write 4KiB, 16MiB, 2GB or bytes")
        return super().__new__(cls, found)

    def __str__(self) -> str:
        """Write it with the largest binary unit that keeps it readable."""
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            if self >= _SIZE_UNITS[unit]:
                return f"{int(self) / _SIZE_UNITS[unit]:.4g} {unit}"
        return f"{int(self)} B"


def _bytes(text: str) -> int | None:
    """Return the number of whole bytes, or None when the text is no size; half a byte is none."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    whole, _, decimals = match[1].partition(".")
    size, rest = divmod(int(whole + decimals) * _SIZE_UNITS[match[2]], 10 ** len(decimals))
    return None if rest and _SIZE_UNITS[match[2]] == 1 else size


class ByteString(bytes):
    """Bytes, written as hexadecimal pairs or a list of numbers.

    >>> ByteString("02 01 0C").hex(" ")
    '02 01 0c'
    """

    __slots__ = ()

    def __new__(cls, value: str | bytes | Iterable[int]) -> ByteString:
        """Take ``"02 01 0C"``, ``"02010C"``, bytes or numbers from 0 to 255; raise ValueError otherwise."""
        if not isinstance(value, str):
            return super().__new__(cls, _numbers(value))
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


def _numbers(value: bytes | Iterable[int]) -> bytes:
    if isinstance(value, int):
        raise ValueError(f"{value!r} is not a byte string: {_WRITE_BYTES}")  # noqa: TRY004 - said with the others
    try:
        return bytes(value)
    except TypeError as error:
        raise ValueError(f"{value!r} is not a byte string: {_WRITE_BYTES}") from error


def _pairs(text: str, *, wildcards: bool) -> list[str]:
    pairs = [word[start : start + 2] for word in text.split() for start in range(0, len(word), 2)]
    for pair in pairs:
        if not _HEX_BYTE.fullmatch(pair) and not (wildcards and pair == "??"):
            raise ValueError(f"{text!r} is not a byte string: {_WRITE_BYTES}")
    return pairs


class FilePath(str):
    """A file of the machine that runs `runner`, relative to the file that names it; or a URL.

    What a module or driver gets is always the path of a file beside it: the file has been copied
    there, or fetched, when it was not there already.
    """

    __slots__ = ()


class TargetPath(str):
    """A file to be written on the machine that runs `runner`, relative to the file that names it."""

    __slots__ = ()


class Checksum(str):
    """The SHA-256 of a file: its 64 digits, or a line that ``sha256sum`` has printed.

    A recipe may name a file or a URL with that instead; then it is the path of a file beside the module.

    >>> Checksum("0" * 64 + "  a.img").digits == "0" * 64, Checksum("/tmp/a.sha256").digits
    (True, '')
    """

    __slots__ = ()

    @property
    def digits(self) -> str:
        """The checksum in lower case; empty when there is none in this text."""
        first = (self.split() or [""])[0].lower()
        return first if _DIGITS.fullmatch(first) and len(self.splitlines()) == 1 else ""


def files_in(value: object) -> Iterator[FilePath | TargetPath]:
    """Return the files of the machine that runs `runner` in an argument, also within options.

    >>> list(files_in({"boot": [FilePath("a.img"), "text"]}))
    ['a.img']
    """
    if isinstance(value, (FilePath, TargetPath)):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from files_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from files_in(each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from files_in(getattr(value, field.name))


def is_url(path: str) -> bool:
    """Tell whether a file is to be fetched from the network.

    >>> is_url("s3://images/nightly.img"), is_url("images/nightly.img")
    (True, False)
    """
    return path.partition("://")[0] in _SCHEMES and "://" in path


def is_web(url: str) -> bool:
    """Tell whether a URL is one of a web server, which the host of the bench asks itself."""
    return url.startswith(("http://", "https://"))


class Secret(str):
    """Text that no log, event, console or report may show."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide the value, also in a traceback."""
        return "'******'"
