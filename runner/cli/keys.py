"""What a person types at a raw terminal: bytes for the board, and commands behind the escape key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

Command = Literal["quit", "help", "on", "off", "cycle", "unknown"]
DEFAULT = "ctrl-]"
COMMANDS: Mapping[str, Command] = MappingProxyType(
    {"q": "quit", ".": "quit", "?": "help", "h": "help", "o": "on", "f": "off", "c": "cycle"}
)
_CONTROL = 0x1F
_NAMES = MappingProxyType({"ctrl-": 5, "^": 1})


class Asked(str):
    """A command for ourselves: one of `Command`."""

    __slots__ = ()


class Keys:
    """Tells commands from what is typed for the board, however the bytes come in.

    The escape key typed twice is one for the board; so is any key when there is no escape key.
    """

    def __init__(self, escape: int | None) -> None:
        """Wait for `escape`, a byte; None for none."""
        self._escape = escape
        self._escaped = False

    def feed(self, data: bytes) -> list[bytes | Asked]:
        """Return what the bytes mean, in order.

        >>> Keys(0x1D).feed(b"ls\\x1d?\\x1d\\x1d")
        [b'ls', 'help', b'\\x1d']
        """
        found: list[bytes | Asked] = []
        for meant in self._meanings(data):
            if isinstance(meant, bytes) and found and isinstance(found[-1], bytes):
                found[-1] += meant
            else:
                found.append(meant)
        return found

    def _meanings(self, data: bytes) -> Iterator[bytes | Asked]:
        for byte in data:
            if self._escaped:
                self._escaped = False
                yield bytes([byte]) if byte == self._escape else Asked(_command(byte))
            elif byte == self._escape:
                self._escaped = True
            else:
                yield bytes([byte])


def escape_key(written: str) -> int | None:
    """Return the byte of a key written as ``ctrl-]``, ``^]`` or ``none``; raise ValueError for others.

    >>> escape_key("ctrl-a"), escape_key("none")
    (1, None)
    """
    if written.lower() == "none":
        return None
    for prefix, length in _NAMES.items():
        key = written[length:].upper()
        if written.lower().startswith(prefix) and len(key) == 1 and "@" < key <= "_" and key not in "JM":
            return ord(key) & _CONTROL
    raise ValueError(f"{written!r} is no key for commands: write ctrl-] or ctrl-a, or none")


def shown(escape: int) -> str:
    r"""Return how a person types it.

    >>> shown(0x1D)
    'Ctrl-]'
    """
    return f"Ctrl-{chr(escape | 0x40)}"


def instructions(escape: int | None) -> str:
    """Return the help of the terminal, a command on each line."""
    if escape is None:
        return "no key for commands (--escape none): end the session with a signal"
    key = shown(escape)
    return "\n".join(
        (
            f"{key} q  quit ({key} . too)",
            f"{key} o  power on",
            f"{key} f  power off",
            f"{key} c  power cycle",
            f"{key} ?  this help",
            f"{key} {key}  types {key} on the board",
        )
    )


def _command(byte: int) -> Command:
    return COMMANDS.get(chr(byte).lower(), "unknown")
