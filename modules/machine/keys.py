"""Keys as QEMU names them (QEMU QMP Reference Manual, "QKeyCode"): a text as the keys that type it."""

from __future__ import annotations

from collections.abc import Iterator

_ALIASES = {
    "enter": "ret",
    "return": "ret",
    "escape": "esc",
    "space": "spc",
    "del": "delete",
    "ins": "insert",
    "page_up": "pgup",
    "page_down": "pgdn",
    "super": "meta_l",
    "win": "meta_l",
    "alt_gr": "alt_r",
}
_PLAIN = {
    " ": "spc",
    "\n": "ret",
    "\t": "tab",
    "-": "minus",
    "=": "equal",
    "[": "bracket_left",
    "]": "bracket_right",
    ";": "semicolon",
    "'": "apostrophe",
    "`": "grave_accent",
    "\\": "backslash",
    ",": "comma",
    ".": "dot",
    "/": "slash",
}
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))
"""On a US keyboard, which is the layout that guests begin with."""


def chord(text: str) -> tuple[str, ...]:
    """Return the keys of a combination.

    >>> chord("ctrl+alt+Delete"), chord("+")
    (('ctrl', 'alt', 'delete'), ('shift', 'equal'))
    """
    parts = text.split("+") if len(text) > 1 else [text]
    return tuple(key for part in parts for key in _key(part))


def typed(text: str) -> Iterator[tuple[str, ...]]:
    """Return the combinations that type a text on a US keyboard; raise ValueError for what it has no key for.

    >>> list(typed("Ab!"))
    [('shift', 'a'), ('b',), ('shift', '1')]
    """
    for character in text:
        keys = _character(character)
        if not keys:
            raise ValueError(f"a US keyboard has no key for {character!r}")
        yield keys


def _key(name: str) -> tuple[str, ...]:
    if len(name) == 1 and (keys := _character(name)):
        return keys[-1:] if name.isalpha() else keys
    lower = name.strip().lower()
    return (_ALIASES.get(lower, lower),)


def _character(character: str) -> tuple[str, ...]:
    if character in _SHIFTED:
        return ("shift", *_character(_SHIFTED[character]))
    if character in _PLAIN:
        return (_PLAIN[character],)
    if character.isascii() and character.isalnum():
        return ("shift", character.lower()) if character.isupper() else (character,)
    return ()
