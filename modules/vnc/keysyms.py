"""Keys as VNC sends them: keysyms of the X Window System (X11 protocol, appendix A; keysymdef.h)."""

from __future__ import annotations

from collections.abc import Iterator

_SHIFT = 0xFFE1
_NAMED = {
    "backspace": 0xFF08,
    "tab": 0xFF09,
    "ret": 0xFF0D,
    "enter": 0xFF0D,
    "return": 0xFF0D,
    "pause": 0xFF13,
    "esc": 0xFF1B,
    "escape": 0xFF1B,
    "home": 0xFF50,
    "left": 0xFF51,
    "up": 0xFF52,
    "right": 0xFF53,
    "down": 0xFF54,
    "pgup": 0xFF55,
    "page_up": 0xFF55,
    "pgdn": 0xFF56,
    "page_down": 0xFF56,
    "end": 0xFF57,
    "print": 0xFF61,
    "insert": 0xFF63,
    "ins": 0xFF63,
    "menu": 0xFF67,
    "delete": 0xFFFF,
    "del": 0xFFFF,
    "shift": _SHIFT,
    "ctrl": 0xFFE3,
    "control": 0xFFE3,
    "caps_lock": 0xFFE5,
    "alt": 0xFFE9,
    "alt_gr": 0xFE03,
    "meta": 0xFFEB,
    "super": 0xFFEB,
    "win": 0xFFEB,
    "space": 0x20,
    "spc": 0x20,
    **{f"f{number}": 0xFFBD + number for number in range(1, 25)},
}
_SHIFTED = frozenset('~!@#$%^&*()_+{}|:"<>?')
_CONTROL = {"\n": 0xFF0D, "\r": 0xFF0D, "\t": 0xFF09, "\b": 0xFF08, "\x1b": 0xFF1B}


def chord(text: str) -> tuple[int, ...]:
    """Return the keysyms of a combination; raise ValueError for a name that is none.

    >>> [hex(each) for each in chord("ctrl+alt+delete")]
    ['0xffe3', '0xffe9', '0xffff']
    """
    if len(text) == 1:
        return next(typed(text))
    parts = [part.strip() for part in text.split("+")]
    shift = "shift" in map(str.lower, parts)
    return tuple(_keysym(_cased(part, shift=shift)) for part in parts)


def _cased(part: str, *, shift: bool) -> str:
    """With shift a letter is its capital, or the server lets go of shift for it (RFC 6143, 7.5.4)."""
    if len(part) != 1:
        return part
    return part.upper() if shift else part.lower()


def typed(text: str) -> Iterator[tuple[int, ...]]:
    """Return what types a text, with shift where a US keyboard needs it.

    >>> [[hex(each) for each in keys] for keys in typed("aB")]
    [['0x61'], ['0xffe1', '0x42']]
    """
    for character in text:
        keysym = _character(character)
        shifted = character.isupper() or character in _SHIFTED
        yield (_SHIFT, keysym) if shifted else (keysym,)


def _keysym(name: str) -> int:
    if len(name) == 1:
        return _character(name)
    if name.lower() not in _NAMED:
        raise ValueError(f"no key {name!r}: a character, or one of {', '.join(sorted(_NAMED))}")
    return _NAMED[name.lower()]


def _character(character: str) -> int:
    """Latin 1 stands for itself; other characters are Unicode with bit 24 (keysymdef.h)."""
    if character in _CONTROL:
        return _CONTROL[character]
    point = ord(character)
    return point if 0x20 <= point <= 0xFF else 0x1000000 + point
