"""The console engine: reads always, matches from cursors, never guesses."""

from runner.console.complaints import explained
from runner.console.console import Console
from runner.console.descriptor_port import DescriptorPort, own_terminal
from runner.console.dialog import Reply
from runner.console.inline import Inline, TimedStream
from runner.console.pattern import Pattern, PatternLike, Patterns, exact, regex
from runner.console.power import Witnesses
from runner.console.results import (
    Answered,
    Boot,
    Booted,
    Entered,
    Found,
    LoggedIn,
    LoggedOut,
    Match,
    PoweredOff,
    Ran,
    Talked,
)
from runner.console.serial_console import LineCounters, LineSettings, LineState, SerialConsole
from runner.console.settings import ConsoleSettings, Interrupt, LoginSettings, UbootSettings
from runner.console.stream import Chunk, ConsoleEnded, ConsoleGone, Stream
from runner.console.wire import Wire
from runner.console.xmodem import Conversation, Receiver, Sender

__all__ = [
    "Answered",
    "Boot",
    "Booted",
    "Chunk",
    "Console",
    "ConsoleEnded",
    "ConsoleGone",
    "ConsoleSettings",
    "Conversation",
    "DescriptorPort",
    "Entered",
    "Found",
    "Inline",
    "Interrupt",
    "LineCounters",
    "LineSettings",
    "LineState",
    "LoggedIn",
    "LoggedOut",
    "LoginSettings",
    "Match",
    "Pattern",
    "PatternLike",
    "Patterns",
    "PoweredOff",
    "Ran",
    "Receiver",
    "Reply",
    "Sender",
    "SerialConsole",
    "Stream",
    "Talked",
    "TimedStream",
    "UbootSettings",
    "Wire",
    "Witnesses",
    "exact",
    "explained",
    "own_terminal",
    "regex",
]
