"""What the keys of a terminal send (ECMA-48; xterm control sequences, "PC-Style Function Keys")."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Key = Literal[
    "enter", "escape", "space", "tab", "backspace", "delete", "insert",
    "up", "down", "left", "right", "home", "end", "page_up", "page_down",
    "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
    "ctrl_a", "ctrl_b", "ctrl_c", "ctrl_d", "ctrl_e", "ctrl_f", "ctrl_g", "ctrl_h", "ctrl_i",
    "ctrl_j", "ctrl_k", "ctrl_l", "ctrl_m", "ctrl_n", "ctrl_o", "ctrl_p", "ctrl_q", "ctrl_r",
    "ctrl_s", "ctrl_t", "ctrl_u", "ctrl_v", "ctrl_w", "ctrl_x", "ctrl_y", "ctrl_z",
]  # fmt: skip

_SENT: Mapping[str, bytes] = MappingProxyType(
    {
        "escape": b"\x1b",
        "space": b" ",
        "tab": b"\t",
        "backspace": b"\x7f",
        "up": b"\x1b[A",
        "down": b"\x1b[B",
        "right": b"\x1b[C",
        "left": b"\x1b[D",
        "home": b"\x1b[H",
        "end": b"\x1b[F",
        "insert": b"\x1b[2~",
        "delete": b"\x1b[3~",
        "page_up": b"\x1b[5~",
        "page_down": b"\x1b[6~",
        "f1": b"\x1bOP",
        "f2": b"\x1bOQ",
        "f3": b"\x1bOR",
        "f4": b"\x1bOS",
        "f5": b"\x1b[15~",
        "f6": b"\x1b[17~",
        "f7": b"\x1b[18~",
        "f8": b"\x1b[19~",
        "f9": b"\x1b[20~",
        "f10": b"\x1b[21~",
        "f11": b"\x1b[23~",
        "f12": b"\x1b[24~",
    }
)


def sent_by(key: Key, newline: bytes) -> bytes:
    r"""Return what a key sends; Enter is what the console says it is.

    >>> sent_by("ctrl_c", b"\n"), sent_by("f5", b"\n"), sent_by("enter", b"\r")
    (b'\x03', b'\x1b[15~', b'\r')
    """
    if key == "enter":
        return newline
    if key.startswith("ctrl_"):
        return bytes([ord(key[-1]) & 0x1F])
    return _SENT[key]
