"""When the stages of a start were first seen: first byte, SPL, U-Boot, prompt, kernel, user space, login.

A start begins with the power-on mark, or with the words by which U-Boot and Linux announce that
they restart the board. Of each stage the first sign counts, and none once a later one was seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from runner.api import Duration
from runner.console.pattern import regex
from runner.console.prompts import prompt_text, prompts
from runner.console.results import Boot
from runner.console.settings import ConsoleSettings
from runner.console.track import Track
from runner.console.transcript import Transcript

Cause = Literal["", "power", "restart"]
_LONGEST = 512
"""Bytes of a line that are looked at."""


@dataclass(frozen=True)
class Sign:
    """What gives a stage away: bytes that every such line holds, and the line itself."""

    stage: str
    literals: tuple[bytes, ...]
    line: re.Pattern[bytes]
    loader: bool = False


def _sign(stage: str, *literals: str, line: str, loader: bool = False) -> Sign:
    stamp = r"^(?:(?:<\d>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? )?"
    return Sign(stage, tuple(each.encode() for each in literals), re.compile((stamp + line).encode()), loader)


_SPL = _sign("spl", "U-Boot SPL ", "U-Boot TPL ", line=r"U-Boot [ST]PL \S*\d", loader=True)
_UBOOT = _sign(
    "uboot",
    "U-Boot ",
    "barebox ",
    "GNU GRUB",
    line=r"(?:U-Boot (?![ST]PL )\D{0,8}\d{4}\.\d\d|barebox \d{4}\.\d\d|[^\n]{0,80}GNU GRUB +version)",
    loader=True,
)
_KERNEL = _sign(
    "kernel",
    "Linux version ",
    "Booting Linux on ",
    "Uncompressing Linux",
    line=r"(?:Linux version \d|Booting Linux on |Uncompressing Linux)",
)
_USERSPACE = _sign(
    "userspace",
    " as init process",
    "INIT: version ",
    "systemd[1]: ",
    "init started: ",
    "Welcome to ",
    "Begin: ",
    line=r"(?:Run \S+ as init process|INIT: version |systemd\[1\]: |init started: "
    r"|\s*Welcome to (?!GRUB)|Begin: \S)",
)
_RESTART = _sign(
    "restart",
    "resetting ...",
    "reboot: Restarting system",
    line=r"(?:resetting \.\.\.|reboot: Restarting system)",
)
"""U-Boot, cmd/boot.c and lib/reset: `do_reset`. Linux, kernel/reboot.c: `kernel_restart`."""


@dataclass
class _Start:
    """A start of the board, as far as it has come."""

    cause: Cause
    raw: int
    at: float
    seen: dict[str, float] = field(default_factory=dict)
    """Stage to the time when its first byte came."""


class _Seen:
    """A line that gives a stage away: the raw offsets of its begin and end."""

    def __init__(self, stage: str, track: Track, at: int) -> None:
        self.stage = stage
        self.start = track.raw_of(at)
        self.end = track.raw_of(track.line_end(at) - 1) + 1


class Stages:
    """Listens to a transcript for ever; costs nothing but a search for a few words in what is new."""

    def __init__(self, transcript: Transcript, settings: ConsoleSettings) -> None:
        """Know of no start yet."""
        self._transcript = transcript
        self._signs = (*_signs_before_linux(settings), _KERNEL, _USERSPACE, _login(settings))
        self._start: _Start | None = None
        self._text_at = self._kernel_at = 0
        self._stamped = False
        """Whether something before Linux stamps its lines as the kernel does."""
        self._handed_over = False
        """Whether a kernel was started from the prompt."""
        self._news: list[tuple[str, float]] = []

    def begin(self, cause: Cause, now: float, raw: int | None = None) -> None:
        """Begin a start at the position `raw`; at the present one when left out."""
        transcript = self._transcript
        raw = transcript.position if raw is None else raw
        self._start = _Start(cause, raw, now)
        self._stamped = self._handed_over = False
        self._text_at = transcript.text.offset_of(raw)
        self._kernel_at = transcript.kernel.offset_of(raw)

    def expect_kernel(self, raw: int, now: float) -> None:
        """Look for the kernel from `raw` on: it is about to be started, whatever was seen before."""
        if self._start is None:
            self.begin("", now, raw)
        assert self._start is not None  # noqa: S101 - just begun
        self._handed_over = True
        for stage in ("kernel", "userspace", "login"):
            self._start.seen.pop(stage, None)
        self._text_at = self._transcript.text.offset_of(raw)
        self._kernel_at = self._transcript.kernel.offset_of(raw)

    @property
    def boot(self) -> Boot:
        """When each stage was seen, in seconds from the beginning of the start."""
        start = self._start
        if start is None:
            return Boot()
        times = {stage: Duration(max(at - start.at, 0.0)) for stage, at in start.seen.items()}
        return Boot(cause=start.cause, **times)

    @property
    def begun(self) -> bool:
        """Whether a start is known."""
        return self._start is not None

    def news(self) -> list[tuple[str, float]]:
        """Return what was reached since the last time: ``boot.kernel`` and seconds; ``restart.`` likewise."""
        news, self._news = self._news, []
        return news

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new."""
        _ = quiet
        self._first_byte()
        while (found := self._next()) is not None:
            at = self._transcript.time_of(found.start) or 0.0
            if found.stage == _RESTART.stage:
                self.begin("restart", at, found.end)
            else:
                self._reach(found.stage, at)
        self._text_at = _unfinished(self._transcript.text, self._text_at)
        self._kernel_at = _unfinished(self._transcript.kernel, self._kernel_at)

    def _first_byte(self) -> None:
        start = self._start
        if start is not None and "first_byte" not in start.seen and self._transcript.position > start.raw:
            self._reach("first_byte", self._transcript.time_of(start.raw) or start.at)

    def _reach(self, stage: str, at: float) -> None:
        start = self._start
        assert start is not None  # noqa: S101 - stages are looked for in a start only
        start.seen[stage] = at
        if start.cause:
            name = "boot" if start.cause == "power" else start.cause
            self._news.append((f"{name}.{stage}", max(at - start.at, 0.0)))

    def _next(self) -> _Seen | None:
        """Return the first sign that is new."""
        pending = self._pending()
        found = [each for sign in (*pending, _RESTART) if (each := self._look(sign)) is not None]
        kernel = self._transcript.kernel
        if _KERNEL in pending and not self._stamped and self._kernel_at < kernel.end:
            found.append(_Seen(_KERNEL.stage, kernel, self._kernel_at))
        return min(found, key=lambda each: each.start, default=None)

    def _pending(self) -> Sequence[Sign]:
        """Return the signs of the stages that can still come."""
        if self._start is None:
            return ()
        seen = self._start.seen
        if "prompt" in seen and "kernel" not in seen and not self._handed_over:
            return (_KERNEL,)  # what else is said at the prompt is the output of commands
        last = max((at for at, sign in enumerate(self._signs) if sign.stage in seen), default=-1)
        return self._signs[last + 1 :]

    def _look(self, sign: Sign) -> _Seen | None:
        """Return the first such line. A loader that stamps its lines is not taken for the kernel."""
        text, kernel = self._transcript.text, self._transcript.kernel
        plain, stamped = _line_of(sign, text, self._text_at), _line_of(sign, kernel, self._kernel_at)
        if stamped >= 0 and sign.loader:
            self._stamped = True
        found = [_Seen(sign.stage, track, at) for track, at in ((text, plain), (kernel, stamped)) if at >= 0]
        return min(found, key=lambda each: each.start, default=None)


def _line_of(sign: Sign, track: Track, start: int) -> int:
    """Return where the first such line begins, from `start` on; -1 for none."""
    lines = (_first_line(sign, literal, track, start) for literal in sign.literals)
    return min((at for at in lines if at >= 0), default=-1)


def _first_line(sign: Sign, literal: bytes, track: Track, start: int) -> int:
    at = track.find(literal, start)
    while 0 <= at < track.end:
        begin = _beginning(track, at, start)
        if begin >= 0 and sign.line.match(track.slice(begin, min(track.line_end(at), begin + _LONGEST))):
            return begin
        at = track.find(literal, track.line_end(at))
    return -1


def _beginning(track: Track, at: int, start: int) -> int:
    """Return where the line of `at` begins, or `start` inside of it; -1 when that is too far away."""
    nearest = max(start, at - _LONGEST)
    newline = track.rfind(b"\n", nearest, at)
    return newline + 1 if newline >= 0 else start if nearest == start else -1


def _unfinished(track: Track, start: int) -> int:
    """Return where the unfinished line begins, as far back as it is looked at."""
    nearest = max(start, track.end - _LONGEST)
    newline = track.rfind(b"\n", nearest, track.end)
    return newline + 1 if newline >= 0 else nearest


def _signs_before_linux(settings: ConsoleSettings) -> tuple[Sign, ...]:
    parts = (max(each.split("*"), key=len) for each in prompts(settings.uboot))
    line = re.compile(b"^" + prompt_text(settings.uboot).encode())
    return _SPL, _UBOOT, Sign("prompt", tuple(part.encode() for part in parts), line)


def _login(settings: ConsoleSettings) -> Sign:
    pattern = regex(settings.login.login_prompt)
    return Sign(
        "login",
        (pattern.literal,),
        re.compile(rf"^[^\n]{{0,{_LONGEST}}}?(?:{settings.login.login_prompt})".encode()),
    )
