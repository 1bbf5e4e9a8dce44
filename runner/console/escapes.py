"""What a terminal takes as an order instead of showing it (ECMA-48 sections 5.3 to 5.6, RFC 854)."""

from __future__ import annotations

import re

ORDERS = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI: colours, cursor, bracketed paste
    rb"|[\]PX^_][^\x07\x1b]{0,512}(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC: titles
    rb"|[ -/]{1,4}[0-~]"
    rb"|[0-OQ-WYZ\\`-~]"
    rb"|)"
    rb"|\xff(?:[\xfb-\xfe][\x00-\x31]|\xfa[^\xff]{0,64}\xff\xf0|[\xf1-\xfa]|)"  # telnet
    rb"|\r+\n?"
    rb"|[\x00\x07\x08\x0e\x0f\x7f]+"
)
"""Every order; the carriage returns among them are judged by what follows."""

_CUT_OFF = re.compile(
    rb"(?:\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[\]PX^_][^\x07\x1b]{0,512}\x1b?|[ -/]{1,4})?"
    rb"|\xff(?:[\xfb-\xfe]|\xfa[^\xff]{0,64}\xff?)?"
    rb"|\r+)\Z"
)
_PLAIN = b"\x00\x07\x08\x0e\x0f\x7f\x1b\xff"
_LONGEST = 600


def cut_off(data: bytes) -> int:
    r"""Return where an order begins that `data` cuts off; its length when there is none.

    >>> cut_off(b"root@board# \x1b[?20")
    12
    """
    start = max(0, len(data) - _LONGEST)
    first = min(
        (at for at in (data.find(mark, start) for mark in (b"\x1b", b"\xff", b"\r")) if at >= 0), default=-1
    )
    if first < 0:
        return len(data)
    while (found := _CUT_OFF.search(data, first)) is not None:
        covering = _covering(data, first, found.start())
        if covering is None:
            return found.start()
        first = covering
    return len(data)


def _covering(data: bytes, start: int, position: int) -> int | None:
    """Return the end of a whole order that begins before `position` and goes over it; None for none."""
    for order in ORDERS.finditer(data, start):
        if order.start() >= position:
            return None
        if order.end() > position:
            return order.end()
    return None


def shortened(data: bytes) -> bytes | None:
    """Return `data` with LF for CR LF if there is no other order in it, and a CR before every LF or none."""
    if len(data.translate(None, _PLAIN)) != len(data):
        return None
    if b"\r" not in data:
        return data
    clean = data.replace(b"\r\n", b"\n")
    plain = b"\r" not in clean and len(data) - len(clean) == clean.count(b"\n")
    return clean if plain else None
