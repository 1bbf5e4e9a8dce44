"""How a simulated board reads a line from its console: echo, erase, clear, interrupt."""

from __future__ import annotations

from runner.modules.sim.processor import Key, Out, Program
from runner.modules.sim.shell import Interrupted

_ERASE = b"\b \b"


class EndOfInput(Exception):
    """Ctrl-D on an empty line."""


def read_line(*, echo: bool = True, longest: int = 4096) -> Program[str]:
    """Read a line; raise Interrupted on Ctrl-C and EndOfInput on Ctrl-D in an empty line."""
    line = ""
    while True:
        key = yield Key()
        if key in (b"\r", b"\n"):
            if echo:
                yield Out(b"\n")
            return line
        if key == b"\x03":
            raise Interrupted
        if key == b"\x04" and not line:
            raise EndOfInput
        if key == b"\x1b":
            yield from _skip_sequence()
            continue
        kept = _edited(line, key, longest)
        if echo:
            yield Out(_ERASE * (len(line) - len(kept)) + (key if len(kept) > len(line) else b""))
        line = kept


def _edited(line: str, key: bytes, longest: int) -> str:
    if key in (b"\x7f", b"\b"):
        return line[:-1]
    if key in (b"\x15", b"\x18"):
        return ""
    if key == b"\x17":
        return line.rstrip()[: line.rstrip().rfind(" ") + 1]
    if key < b" " or len(line) >= longest:
        return line
    return line + key.decode("latin-1")


def _skip_sequence() -> Program[None]:
    """Read the rest of a cursor key's sequence; a lone ESC stays without effect."""
    if (yield Key(within=0.02)) != b"[":
        return
    while True:
        key = yield Key(within=0.02)
        if not key or b"@" <= key <= b"~":
            return
