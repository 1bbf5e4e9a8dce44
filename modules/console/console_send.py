"""Type something on a console."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from runner.api import ByteString, Context, Duration, Module, RecipeFault, Result, arg, device
from runner.console import Console

Key = Literal["enter", "ctrl_c", "ctrl_d", "ctrl_z", "esc", "space", "tab", "backspace", "up", "down"]

_KEYS: Mapping[str, bytes] = MappingProxyType(
    {
        "ctrl_c": b"\x03",
        "ctrl_d": b"\x04",
        "ctrl_z": b"\x1a",
        "esc": b"\x1b",
        "space": b" ",
        "tab": b"\t",
        "backspace": b"\x7f",
        "up": b"\x1b[A",  # ECMA-48, 8.3.22
        "down": b"\x1b[B",
    }
)


class Typed(Result):
    """How much was typed."""

    sent: int
    """In bytes."""


class ConsoleSend(Module):
    """Type text, bytes or a key on the console, and wait for nothing.

    To run a command use `console_cmd` or `uboot_cmd`: they know when it has ended.

    Example::

        - console_send: "y"
        - console_send: {text: "y", enter: true}
        - console_send: {key: esc, repeat: 5, interval: 20ms}
    """

    text: str | None = arg(default=None, primary=True, help="text, as it is")
    data: ByteString | None = arg(default=None, help='bytes, as in "03 0D"')
    key: Key | None = arg(default=None, help="a key")
    enter: bool = arg(default=False, help="press Enter afterwards")
    repeat: int = arg(default=1, help="how many times", minimum=1)
    interval: Duration = arg(default=Duration(0), help="pause between two times")
    console: Console = device(help="the console")

    def run(self, context: Context) -> Typed:
        """Type it."""
        data = self._data()
        self.console.send(data, context)
        for _ in range(1, self.repeat):
            context.sleep(self.interval)
            self.console.send(data, context)
        return Typed(sent=len(data) * self.repeat)

    def _data(self) -> bytes:
        newline = self.console.settings.newline.encode()
        given = [each for each in (self.text, self.data, self.key) if each is not None]
        if len(given) > 1 or not (given or self.enter):
            raise RecipeFault("console_send needs one of 'text', 'data' and 'key'")
        typed = b""
        if self.text is not None:
            typed = self.text.encode()
        elif self.data is not None:
            typed = bytes(self.data)
        elif self.key is not None:
            typed = _KEYS.get(self.key, newline)
        return typed + (newline if self.enter else b"")
