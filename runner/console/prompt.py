"""Getting a console back to a prompt: Ctrl-C until one answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from runner.api import Context, Duration, Failed, LabError, TimedOut
from runner.console.enter import proven
from runner.console.frame import Nonces
from runner.console.keyboard import clear
from runner.console.live import Deadline, Live, Place
from runner.console.uboot import find_prompt
from runner.console.waiting import limit_evidence

At = Literal["shell", "uboot", "login"]


class _LastLine:
    """Listens for a last line, with silence behind it, that looks like a prompt."""

    def __init__(self, live: Live, looks: Mapping[At, re.Pattern[bytes]]) -> None:
        self._text = live.transcript.text
        self._from = self._text.offset_of(live.transcript.position)
        self._looks = looks
        self.at: At | None = None

    @property
    def done(self) -> bool:
        return self.at is not None

    def advance(self, *, quiet: bool) -> None:
        if not quiet or self._text.end <= self._from:
            return
        last = self._text.slice(self._text.line_start(self._text.end), self._text.end)
        self.at = next((at for at, look in self._looks.items() if look.search(last)), None)


def interrupt(live: Live, nonces: Nonces, context: Context, *, within: Duration) -> At:
    """Send Ctrl-C until a prompt is there. See `Console.interrupt`."""
    deadline = Deadline(live, within, "within", context)
    start = live.transcript.position
    looks = _looks(live)
    while live.clock() < deadline.until:
        with live.source.lock:
            last = _LastLine(live, looks)
        with live.listening(last):
            clear(live, context)
            live.wait(last, min(live.clock() + live.settings.answer, deadline.until), context)
        if last.at is not None and _answers(live, last.at, nonces, deadline, context):
            return last.at
    live.check_present()
    raise TimedOut(
        f"console {live.name!r}: no prompt answers to Ctrl-C",
        evidence=limit_evidence(live, deadline, start),
        hint="what runs there does not end by Ctrl-C, or the board hangs",
    )


def _looks(live: Live) -> dict[At, re.Pattern[bytes]]:
    """Return what the prompts look like; U-Boot's before a shell's, which may be any sign."""
    settings = live.settings
    written: dict[At, str] = {
        "login": rf"(?:{settings.login.login_prompt})\s*$",
        "uboot": rf"^{re.escape(settings.uboot.prompt.rstrip())}\s*$",
        "shell": rf"(?:{settings.prompt})\s*$",
    }
    return {at: re.compile(pattern.encode()) for at, pattern in written.items()}


def _answers(live: Live, at: At, nonces: Nonces, deadline: Deadline, context: Context) -> bool:
    """Have a prompt prove itself; a login prompt has, since nothing may be typed there."""
    if at == "login":
        live.place = Place()
        return True
    if at == "shell":
        if not proven(live, nonces, deadline, context):
            return False
        live.place = live.place if "shell" in live.place.kind else Place()
        return True
    try:
        live.place = find_prompt(live, nonces, deadline, context)
    except (Failed, LabError) as error:
        context.log(f"what looked like U-Boot's prompt did not answer: {error.message}")
        live.check_present()
        return False
    return True
