"""The filters and tests that expressions have beside Jinja's own (language.md, section 4)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.api.values import ByteString, Duration, Size
from runner.errors import InputError

_PATH_PART = re.compile(r"[^.\[\]]+|\[(-?\d+|\*)\]")


def to_bytes(value: Any, encoding: str = "utf-8") -> bytes:
    """Return text, hexadecimal lists or numbers as bytes."""
    return value.encode(encoding) if isinstance(value, str) else bytes(value)


def unhex(value: str) -> bytes:
    """Read hexadecimal pairs: ``'02 01' | unhex``."""
    return bytes(ByteString(value))


def to_hex(value: Any, separator: str = " ") -> str:
    """Write bytes as hexadecimal pairs, or a number in base 16."""
    return f"{value:x}" if isinstance(value, int) else to_bytes(value).hex(separator)


def crc32(value: Any) -> int:
    """Return the CRC-32 of bytes or text, as zlib and U-Boot's crc32 compute it."""
    return zlib.crc32(to_bytes(value))


def sha256(value: Any) -> str:
    """Return the SHA-256 of bytes or text as hexadecimal digits."""
    return hashlib.sha256(to_bytes(value)).hexdigest()


def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


def regex_search(value: Any, pattern: str, group: int | str = 0) -> str | None:
    """Return what a pattern finds (or one of its groups), or none."""
    match = _pattern(pattern).search(str(value))
    return None if match is None else match[group]


def regex_findall(value: Any, pattern: str) -> list[Any]:
    """Return everything a pattern finds."""
    return _pattern(pattern).findall(str(value))


def from_yaml(value: str) -> Any:
    """Read YAML, as YAML 1.2 means it."""
    from runner.document import plain
    from runner.loader import loads

    try:
        return plain(loads(value, "from_yaml"))
    except InputError as error:
        raise ValueError(str(error)) from error


def json_query(value: Any, path: str) -> Any:
    """Follow a path such as ``StatusSNS.ENERGY.Voltage`` or ``ports[0].name``; none when it leads nowhere.

    >>> json_query({"ports": [{"name": "a"}, {"name": "b"}]}, "ports[*].name")
    ['a', 'b']
    """
    parts = [match[1] or match[0] for match in _PATH_PART.finditer(path)]
    return _follow(value, parts)


def _follow(value: Any, parts: list[str]) -> Any:
    for number, part in enumerate(parts):
        if part == "*" and isinstance(value, (list, tuple)):
            return [_follow(item, parts[number + 1 :]) for item in value]
        if isinstance(value, Mapping):
            value = value.get(part)
        elif (
            isinstance(value, (list, tuple))
            and part.lstrip("-").isdigit()
            and -len(value) <= int(part) < len(value)
        ):
            value = value[int(part)]
        else:
            return None
    return value


def version(value: Any, other: str, operator: str = "==") -> bool:
    """Tell whether a version is equal to, above or below another one, number by number."""
    left, right = _version(value), _version(other)
    length = max(len(left), len(right))
    left, right = left + [0] * (length - len(left)), right + [0] * (length - len(right))
    compare: Mapping[str, Callable[[], bool]] = {
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }
    if operator not in compare:
        raise ValueError(f"no operator {operator!r} for versions: use {' '.join(compare)}")
    return compare[operator]()


def _version(value: Any) -> list[int]:
    found = re.search(r"\d+(?:\.\d+)*", str(value))
    if found is None:
        raise ValueError(f"{value!r} holds no version")
    return [int(part) for part in found[0].split(".")]


def version_text(value: Any) -> str:
    """Return the first version in a text: ``'U-Boot 2023.01+dfsg' | version`` is ``2023.01``."""
    found = re.search(r"\d+(?:\.\d+)+", str(value))
    if found is None:
        raise ValueError(f"{value!r} holds no version")
    return found[0]


def match(value: Any, pattern: str) -> bool:
    """Tell whether a pattern matches at the beginning."""
    return _pattern(pattern).match(str(value)) is not None


def search(value: Any, pattern: str) -> bool:
    """Tell whether a pattern is found anywhere."""
    return _pattern(pattern).search(str(value)) is not None


def is_file(value: Any) -> bool:
    """Tell whether a path names a file here."""
    return Path(str(value)).is_file()


def b64encode(value: Any) -> str:
    """Write bytes or text as base64."""
    return base64.b64encode(to_bytes(value)).decode()


def b64decode(value: str) -> bytes:
    """Read base64."""
    return base64.b64decode(value)


def filters() -> dict[str, Callable[..., Any]]:
    """Return the filters by name."""
    return {
        "bytes": to_bytes,
        "hex": to_hex,
        "unhex": unhex,
        "crc32": crc32,
        "sha256": sha256,
        "b64encode": b64encode,
        "b64decode": b64decode,
        "regex_search": regex_search,
        "regex_findall": regex_findall,
        "from_json": json.loads,
        "from_yaml": from_yaml,
        "to_json": json.dumps,
        "json_query": json_query,
        "duration": Duration,
        "size": Size,
        "version": version_text,
    }


def tests() -> dict[str, Callable[..., bool]]:
    """Return the tests by name."""
    return {"match": match, "search": search, "file": is_file, "version": version}
