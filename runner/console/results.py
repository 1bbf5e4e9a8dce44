"""What the console found out."""

from __future__ import annotations

from typing import Literal

from runner.api import Duration, Result


class Found(Result):
    """One pattern, and where it was seen."""

    name: str
    """The pattern's name; its text when it has none."""
    text: str
    """What matched."""
    groups: tuple[str | None, ...] = ()
    named: dict[str, str | None]
    offset: int
    """Where it begins in the raw log, in bytes."""
    elapsed: Duration
    """From the start of the wait to the last byte of the match; 0 for what was there before."""
    kernel: bool = False
    """Whether it was in a kernel message."""


class Match(Result):
    """What a wait for patterns ended with."""

    name: str
    text: str
    groups: tuple[str | None, ...] = ()
    named: dict[str, str | None]
    before: str
    """The output from where the wait looked first to the match, without kernel messages; its last 64 KiB."""
    offset: int
    """Where it begins in the raw log, in bytes."""
    elapsed: Duration
    kernel: bool = False
    found: tuple[Found, ...] = ()
    """All that was found on the way, in the order of its appearance, the last one included."""


class Ran(Result):
    """What a command printed and how it ended."""

    output: str
    """What it printed, without kernel messages and without newlines at the end."""
    status: int | None
    """Its exit status; None where the shell cannot tell."""
    elapsed: Duration
    kernel: tuple[str, ...] = ()
    """Kernel messages that came meanwhile."""
    resent: int = 0
    """How often it was typed again because it had arrived damaged."""
    dropped: int = 0
    """Bytes missing at the front of `output`; they are in the raw log."""


class Boot(Result):
    """When each stage of the last start was seen first, from its beginning; None: not seen."""

    cause: str = ""
    """How it began: ``power`` (the power-on mark), ``restart`` (announced by U-Boot or Linux), or unknown."""
    first_byte: Duration | None = None
    spl: Duration | None = None
    """The banner of the first-stage loader."""
    uboot: Duration | None = None
    """The banner of U-Boot, barebox or GRUB."""
    prompt: Duration | None = None
    """The boot loader's prompt."""
    kernel: Duration | None = None
    """Linux's first line."""
    userspace: Duration | None = None
    """The first sign of init."""
    login: Duration | None = None
    """The login prompt."""


class LoggedIn(Result):
    """How a login went."""

    already: bool
    """True when a shell was there without logging in."""
    elapsed: Duration
    boot: Boot = Boot()
    """The start that led here."""


class Entered(Result):
    """How U-Boot was entered."""

    version: str
    """U-Boot's banner line; empty when it was not seen."""
    hush: bool
    """Whether its parser can tell a command's status."""
    elapsed: Duration
    boot: Boot = Boot()
    """The start that led here."""


class Booted(Result):
    """How a kernel was started."""

    first_line: str
    """The first line that proves that it runs."""
    elapsed: Duration
    """From Enter to that line."""
    boot: Boot = Boot()
    """The start that it belongs to."""


class LoggedOut(Result):
    """How the shell was left."""

    already: bool
    """True when the login asked already."""
    shells: int
    """How many shells were left; several when one runs inside another."""
    elapsed: Duration


class PoweredOff(Result):
    """How the system ended."""

    how: Literal["power down", "system halted", "silence"]
    """Its last words; silence when it said none and nothing else for long."""
    line: str
    """The line that said so; empty for silence."""
    elapsed: Duration


class Answered(Result):
    """A question that was answered."""

    name: str
    """The answer's name; its pattern when it has none."""
    question: str
    """What matched."""
    elapsed: Duration
    """From the start of the dialog until the question was there."""


class Talked(Result):
    """How a dialog went."""

    answered: tuple[Answered, ...]
    """Questions in the order in which they came."""
    unasked: tuple[str, ...]
    """The answers that nobody asked for, by their names."""
    ended_by: str
    """What matched at the end; empty when it ended with the last answer."""
    transcript: str
    """What the board said, without kernel messages; its last 64 KiB."""
    elapsed: Duration
