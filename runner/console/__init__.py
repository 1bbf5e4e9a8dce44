"""The console engine: reads always, matches from cursors, never guesses."""

from runner.console.complaints import explained
from runner.console.console import Console
from runner.console.inline import Inline, TimedStream
from runner.console.pattern import Pattern, PatternLike, Patterns, exact, regex
from runner.console.power import Witnesses
from runner.console.results import Boot, Booted, Entered, Found, LoggedIn, Match, Ran
from runner.console.settings import ConsoleSettings, Interrupt, LoginSettings, UbootSettings
from runner.console.stream import Chunk, ConsoleEnded, ConsoleGone, Stream

__all__ = [
    "Boot",
    "Booted",
    "Chunk",
    "Console",
    "ConsoleEnded",
    "ConsoleGone",
    "ConsoleSettings",
    "Entered",
    "Found",
    "Inline",
    "Interrupt",
    "LoggedIn",
    "LoginSettings",
    "Match",
    "Pattern",
    "PatternLike",
    "Patterns",
    "Ran",
    "Stream",
    "TimedStream",
    "UbootSettings",
    "Witnesses",
    "exact",
    "explained",
    "regex",
]
