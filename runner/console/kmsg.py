"""How kernel messages look on a console, whole and cut off.

``printk`` writes ``[%5lu.%06lu]`` before a message, with ``CONFIG_PRINTK_CALLER`` an id
such as ``[   T12]`` after it, and over some consoles a level such as ``<6>`` before it
(Linux, kernel/printk/printk.c, `print_time`, `print_caller`, `print_syslog`).
"""

from __future__ import annotations

import re

LONGEST = 2048
"""Bytes of a message with its stamp; the kernel cuts at 1024 and adds prefixes."""

_STAMP = re.compile(rb"\[( {0,10}\d{1,10})\.(\d{1,6})\](\[ {0,6}[TC]\d{1,7}\])? ")
_LEVEL = re.compile(rb"<\d{1,3}>\Z")
_UNDECIDED = re.compile(
    rb"(?:<(?:\d{1,3}>?)?|(?:<\d{1,3}>)?"
    rb"\[ {0,10}(?:\d{1,10}(?:\.(?:\d{1,6}(?:\](?:\[ {0,6}(?:[TC](?:\d{1,7}\]?)?)?)?)?)?)?)?)\Z"
)
_LONGEST_STAMP = 48


def find(data: bytes, position: int) -> tuple[int, int] | None:
    """Return where the next stamp begins and where its message does; None when there is no whole stamp.

    >>> find(b"lo[    3.141592] usb 1-1: new", 0)
    (2, 17)
    """
    stamp = _STAMP.search(data, position)
    while stamp is not None:
        if _plausible(stamp):
            level = _LEVEL.search(data, max(position, stamp.start() - 5), stamp.start())
            return (level or stamp).start(), stamp.end()
        stamp = _STAMP.search(data, stamp.start() + 1)
    return None


def _plausible(stamp: re.Match[bytes]) -> bool:
    """Refuse what programs print in brackets: without a caller, `[%5lu.%06lu]` is asked for."""
    seconds, fraction, caller = stamp.groups()
    return caller is not None or (len(fraction) == 6 and (len(seconds) >= 5 or seconds[:1] == b" "))


def undecided(data: bytes, position: int) -> int:
    """Return where a stamp may have begun that `data` cuts off; its length when there is none.

    >>> undecided(b"login: [   3.1", 0)
    7
    """
    start = max(position, len(data) - _LONGEST_STAMP)
    opening = data.find(b"[", start)
    if opening < 0 and data.find(b"<", start) < 0:
        return len(data)
    found = _UNDECIDED.search(data, start)
    return found.start() if found and found.end() > found.start() else len(data)


def text(line: bytes) -> bytes:
    """Return a message without its stamp.

    >>> text(b"<6>[    3.141592][   T12] usb 1-1: new")
    b'usb 1-1: new'
    """
    found = find(line, 0)
    return line[found[1] :] if found else line
