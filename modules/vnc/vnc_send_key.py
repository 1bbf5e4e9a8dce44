"""Press keys over VNC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Duration, Misfit, Module, Result, arg, device
from runner.api.display import Display
from runner.modules.vnc.keysyms import chord, typed
from runner.modules.vnc.sessions import session


class KeysSent(Result):
    """How many combinations of keys were pressed."""

    pressed: int


class VncSendKey(Module):
    r"""Press keys and combinations of keys, and type a text, on a VNC server.

    `keys` come before `text`.

    Example::

        - vnc_send_key: ctrl+alt+delete
        - vnc_send_key: {keys: [down, enter], text: "root\n"}
    """

    limited_by = "timeout"

    keys: str | list[str] = arg(
        default=[], primary=True, help="keys and combinations (ctrl+alt+f2), one after the other"
    )
    text: str = arg(default="", help="what is typed then")
    hold: Duration = arg(default=Duration("20ms"), help="how long each combination is down, and up")
    timeout: Duration = arg(default=Duration("20s"), help="how long connecting, and each key, may take")
    display: Display = device(help="the VNC server")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse keys that there are not, and none at all."""
        keys = given.get("keys", [])
        for each in [keys] if isinstance(keys, str) else keys:
            try:
                chord(each)
            except ValueError as error:
                yield Misfit("keys", str(error), "ctrl, alt, shift, enter, esc, f1, left …")
        if "keys" in given and "text" in given and not given["keys"] and not given["text"]:
            yield Misfit("keys", "there is no key to press", "keys or text")

    def run(self, context: Context) -> KeysSent:
        """Press one after the other; what is down is let go of whatever happens."""
        keys = [self.keys] if isinstance(self.keys, str) else self.keys
        chords = [*map(chord, keys), *typed(self.text)]
        for done, each in enumerate(chords, 1):
            self._press(each, context)
            context.progress(done, len(chords), "keys")
        return KeysSent(pressed=len(chords))

    def _press(self, keysyms: tuple[int, ...], context: Context) -> None:
        server = session(self.display, self.timeout)
        try:
            for keysym in keysyms:
                server.key(keysym, self.timeout, down=True)
            context.sleep(self.hold)
        finally:
            for keysym in reversed(keysyms):
                server.key(keysym, self.timeout, down=False)
        context.sleep(self.hold)
