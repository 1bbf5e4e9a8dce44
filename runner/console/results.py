"""What the console found out."""

from __future__ import annotations

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


class LoggedIn(Result):
    """How a login went."""

    already: bool
    """True when a shell was there without logging in."""
    elapsed: Duration


class Entered(Result):
    """How U-Boot was entered. Times are from the power-on mark, or from the start; None: not seen."""

    version: str
    """U-Boot's banner line; empty when it was not seen."""
    hush: bool
    """Whether its parser can tell a command's status."""
    elapsed: Duration
    first_byte: Duration | None
    spl: Duration | None
    uboot: Duration | None
    prompt: Duration | None
