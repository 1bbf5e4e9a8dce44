"""Press keys of a virtual machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Duration, Machine, Misfit, Module, Result, arg, device
from runner.modules.machine.keys import chord, typed


class Pressed(Result):
    """How many combinations of keys were pressed."""

    pressed: int


class VmSendKey(Module):
    r"""Press keys, combinations of keys, or those that type a text on a US keyboard.

    The names are QEMU's (QKeyCode: a, 1, f2, ret, esc, ctrl, alt, delete, left …); enter, escape, space
    and del are understood, too. `keys` come before `text`.

    Example::

        - vm_send_key: ctrl+alt+delete
        - vm_send_key: {keys: [down, down, enter]}
        - vm_send_key: {text: "root\n"}
    """

    keys: str | list[str] = arg(
        default=[], primary=True, help="keys and combinations (ctrl+alt+f2), one after the other"
    )
    text: str = arg(default="", help="what is typed then")
    hold: Duration = arg(default=Duration("20ms"), help="how long each key is down, and up")
    vm: Machine = device(help="the virtual machine")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse a text that cannot be typed, and nothing at all."""
        try:
            list(typed(given.get("text", "")))
        except ValueError as error:
            yield Misfit("text", str(error), "press it with 'keys', by its QKeyCode")
        if "keys" in given and "text" in given and not given["keys"] and not given["text"]:
            yield Misfit("keys", "there is no key to press", "keys or text")

    def run(self, context: Context) -> Pressed:
        """Press one after the other."""
        keys = [self.keys] if isinstance(self.keys, str) else self.keys
        chords = [*map(chord, keys), *typed(self.text)]
        for done, each in enumerate(chords, 1):
            self.vm.press(each, self.hold)
            context.sleep(2 * self.hold * len(each))
            context.progress(done, len(chords), "keys")
        return Pressed(pressed=len(chords))
