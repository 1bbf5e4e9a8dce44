"""Characters that a file or a terminal must not be given as they are."""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) refuses, and the control characters that it only discourages."""
_COMMANDS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
"""What moves a terminal's cursor, or shows text in an order in which it does not stand."""
_PLAIN = re.compile(_COMMANDS)
_COLOURED = re.compile(f"(?!\x1b\\[(?:[012]|3[1-6])m){_COMMANDS}")


def legal(text: str) -> str:
    r"""Return text in which everything that XML cannot hold is spelt out.

    >>> legal("a\x1b[0m")
    'a\\x1b[0m'
    """
    return _ILLEGAL.sub(_spelt, text)


def shown(text: str, *, coloured: bool = False) -> str:
    r"""Return text that a terminal only shows; `coloured` leaves our own colours in.

    >>> shown("a\x1b[2J")
    'a\\x1b[2J'
    """
    return (_COLOURED if coloured else _PLAIN).sub(_spelt, text)


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
