"""Type something on a console."""

from __future__ import annotations

from typing import Union

from runner.api import ByteString, Context, Duration, Module, RecipeFault, Result, arg, device
from runner.console import Console
from runner.modules.console.breaking import send_break
from runner.modules.console.keys import Key, sent_by


class Typed(Result):
    """How much was typed."""

    sent: int
    """In bytes."""


class ConsoleSend(Module):
    """Type text, bytes or keys on the console, and wait for nothing.

    To run a command use `console_cmd` or `uboot_cmd`: they know when it has ended.

    Example::

        - console_send: "y"
        - console_send: {text: "y", enter: true}
        - console_send: {data: "02 01 0D"}
        - console_send: {keys: escape, repeat: 5, interval: 20ms}
        - console_send: {keys: [ctrl_c, up, enter], char_delay: 50ms}
        - console_send: {break_for: 250ms}
    """

    text: str | None = arg(default=None, primary=True, help="text, as it is")
    data: ByteString | None = arg(default=None, help='bytes, as in "03 0D"')
    keys: Union[Key, list[Key]] = arg(default=[], help="a key, or several in their order")
    break_for: Duration | None = arg(
        default=None, help="hold the line for so long (a break) before anything is typed"
    )
    enter: bool = arg(default=False, help="press Enter afterwards")
    repeat: int = arg(default=1, help="how many times", minimum=1)
    interval: Duration = arg(default=Duration(0), help="pause between two times")
    char_delay: Duration | None = arg(
        default=None, help="pause after each character, for this step; the console's own when left out"
    )
    console: Console = device(help="the console")

    def run(self, context: Context) -> Typed:
        """Type it."""
        data = self._data()
        self._once(data, context)
        for _ in range(1, self.repeat):
            context.sleep(self.interval)
            self._once(data, context)
        return Typed(sent=len(data) * self.repeat)

    def _once(self, data: bytes, context: Context) -> None:
        if self.break_for is not None:
            send_break(self.console, self.break_for, context)
        if data:
            self.console.send(data, context, char_delay=self.char_delay)

    def _data(self) -> bytes:
        newline = self.console.settings.newline.encode()
        keys = [self.keys] if isinstance(self.keys, str) else self.keys
        given = [each for each in (self.text, self.data, keys or None) if each is not None]
        if len(given) > 1 or not (given or self.enter or self.break_for is not None):
            raise RecipeFault("console_send needs one of 'text', 'data', 'keys' and 'break_for'")
        typed = b"".join(sent_by(key, newline) for key in keys)
        if self.text is not None:
            typed = self.text.encode()
        elif self.data is not None:
            typed = bytes(self.data)
        return typed + (newline if self.enter else b"")
