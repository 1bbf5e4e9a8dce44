"""Commands at a U-Boot prompt: typed by their echo, framed, with a status where the parser knows one.

An empty line repeats the last command (U-Boot, common/cli_simple.c, `cli_simple_loop`), so none is
ever sent. Without the hush parser (``CONFIG_HUSH_PARSER``) there is no ``$?``.
"""

from __future__ import annotations

import re

from runner.api import Context, Duration, Failed, LabError, TimedOut
from runner.console import frame
from runner.console.exchange import Answer, Exchange
from runner.console.keyboard import CLEAR, Meanwhile, Running, ask, comes_back, type_line
from runner.console.live import Deadline, Live, Place
from runner.console.prompts import closing, waiting_prompt, waits_for_a_line
from runner.console.results import Ran
from runner.console.waiting import limit_evidence, shown

_ERASE = b"\x15"
_MISSING = re.compile(rb"^error: can't find command ", re.MULTILINE)
_NOT_FOUND = 127
"""What shells call it."""


def run(
    live: Live,
    command: str,
    nonces: frame.Nonces,
    context: Context,
    *,
    timeout: Duration,
    meanwhile: Meanwhile | None = None,
) -> Ran:
    """Run a command at the U-Boot prompt. See `Console.run_uboot`."""
    frame.refuse_untypable(command, "the command")
    deadline = Deadline(live, timeout, "timeout", context)
    if live.place.kind != "uboot":
        live.place = find_prompt(live, nonces, deadline, context)
    if not live.place.hush:
        return _without_status(live, command, nonces, deadline, context, meanwhile)
    nonce = nonces.next(3)
    line = f"{command};{closing(live.settings.uboot, nonce)}"
    patience = float(live.settings.answer)
    exchange, resent = ask(live, nonce, line, deadline, context, patience=patience, meanwhile=meanwhile)
    if exchange.answer is None:
        _wait_on(live, exchange, nonces, deadline, context)
    return _ran(live, command, exchange, deadline, resent)


def _wait_on(
    live: Live, exchange: Exchange, nonces: frame.Nonces, deadline: Deadline, context: Context
) -> None:
    """Wait for the frame; raise Failed when it will not come, because the parser waits for a line again."""
    with live.listening(exchange):
        while not live.wait(exchange, min(deadline.until, live.clock() + live.settings.answer), context):
            if live.clock() >= deadline.until:
                return
            if _waits_for_a_line(live, exchange.start):
                break
    if not exchange.done:
        raise _cut_short(live, exchange, nonces, deadline, context)


def _waits_for_a_line(live: Live, start: int) -> bool:
    """Tell whether the last line has long been a prompt, or the one in an open quotation."""
    text, heard = live.transcript.text, live.transcript.heard
    last = text.slice(max(text.line_start(text.end), text.offset_of(start)), text.end)
    silent = heard is not None and live.clock() - heard >= live.settings.answer
    return silent and waits_for_a_line(live.settings.uboot, last)


def _cut_short(
    live: Live, exchange: Exchange, nonces: frame.Nonces, deadline: Deadline, context: Context
) -> Failed:
    """Get back to the prompt and say that the line was not run to its end."""
    evidence = limit_evidence(live, deadline, exchange.start)
    live.send(CLEAR, context)
    find_prompt(live, nonces, deadline, context)
    return Failed(
        f"console {live.name!r}: U-Boot's parser did not come to the end of the line",
        evidence=evidence,
        hint="is a quotation left open, or does a # begin a comment?",
    )


def _ran(live: Live, command: str, exchange: Exchange, deadline: Deadline, resent: int) -> Ran:
    answer = exchange.answer
    if answer is None:
        raise _timed_out(live, command, exchange.start, deadline)
    live.transcript.last = answer.certain
    live.command_ended(exchange.start, answer.certain)
    came = live.transcript.time_of(answer.certain - 1)
    return Ran(
        output=shown(answer.output).rstrip("\n"),
        status=_status(live, answer),
        elapsed=Duration(max((came or live.clock()) - deadline.started, 0.0)),
        resent=resent,
        dropped=answer.dropped,
    )


def _status(live: Live, answer: Answer) -> int | None:
    """Return the status; GRUB keeps the old one for a command that it does not have (script/execute.c)."""
    missing = answer.status == 0 and live.settings.uboot.loader == "grub" and _MISSING.search(answer.output)
    return _NOT_FOUND if missing else answer.status


def find_prompt(live: Live, nonces: frame.Nonces, deadline: Deadline, context: Context) -> Place:
    """Have U-Boot print a fresh word, and learn whether its parser knows ``$?``; raise Failed for silence."""
    nonce, start = nonces.next(3), live.transcript.position
    line, patience = closing(live.settings.uboot, nonce), float(live.settings.answer)
    try:
        exchange, _ = ask(live, nonce, line, deadline, context, patience=patience)
    except LabError:
        if live.transcript.position > start:
            raise
        raise _no_prompt(live, start, deadline) from None  # not a bad line: nothing is there
    if exchange.answer is None:
        raise _no_prompt(live, exchange.start, deadline)
    live.transcript.last = exchange.answer.certain
    hush = live.settings.uboot.hush
    return Place(kind="uboot", hush=exchange.answer.status is not None if hush == "auto" else hush)


def _no_prompt(live: Live, start: int, deadline: Deadline) -> Failed:
    live.check_present()
    return Failed(
        f"console {live.name!r}: no U-Boot prompt answers",
        evidence=limit_evidence(live, deadline, start),
        hint="uboot_enter first",
    )


def _without_status(
    live: Live,
    command: str,
    nonces: frame.Nonces,
    deadline: Deadline,
    context: Context,
    meanwhile: Meanwhile | None,
) -> Ran:
    """Run a command where ``;`` is unknown: what looks like the prompt is asked to prove it."""
    resent = type_line(live, command, deadline, context)
    start = live.transcript.position
    live.send(live.settings.newline.encode(), context)
    if meanwhile is not None:
        meanwhile(Running(start, waiting_prompt(live.settings.uboot)))
    looked = start
    while live.clock() < deadline.until:
        prompt = Prompt(live, looked)
        with live.listening(prompt):
            if not live.wait(prompt, deadline.until, context):
                break
        looked = live.transcript.position
        nonce = nonces.next(3)
        live.send(_ERASE, context)
        if not comes_back(live, f"echo }}{nonce}".encode(), deadline, context):
            continue
        exchange = Exchange(live.transcript, nonce, live.transcript.position, begins=False)
        with live.listening(exchange):
            live.send(live.settings.newline.encode(), context)
            live.wait(exchange, min(live.clock() + live.settings.answer, deadline.until), context)
        if exchange.answer is not None:
            return _unknown(live, start, prompt.at, exchange.answer.certain, deadline, resent)
    raise _timed_out(live, command, start, deadline)


def _unknown(live: Live, start: int, prompt: int, certain: int, deadline: Deadline, resent: int) -> Ran:
    transcript = live.transcript
    transcript.last = certain
    live.command_ended(start, certain)
    output = transcript.text.slice(transcript.text.offset_of(start), prompt)
    came = transcript.time_of(transcript.text.raw_of(prompt))
    return Ran(
        output=shown(output).strip("\n"),
        status=None,
        elapsed=Duration(max((came or live.clock()) - deadline.started, 0.0)),
        resent=resent,
    )


def _timed_out(live: Live, command: str, start: int, deadline: Deadline) -> TimedOut:
    """Interrupt the command and say that it took too long."""
    live.check_present()
    evidence = limit_evidence(live, deadline, start)
    live.type(CLEAR)
    live.place = Place()  # it may hang, or have been reset
    return TimedOut(
        f"console {live.name!r}: {command[:60]!r} has not ended within {Duration(deadline.seconds)}; "
        "it was interrupted with Ctrl-C",
        evidence={"command": command, **evidence},
    )


class Prompt:
    """Listens for what looks like the prompt: at the start of the last line, and silence behind it."""

    def __init__(self, live: Live, start: int) -> None:
        """Look behind the raw offset `start`."""
        self._text = live.transcript.text
        self._from = self._text.offset_of(start)
        self._wanted = waiting_prompt(live.settings.uboot)
        self.at = -1
        """Offset of the prompt in the text."""

    @property
    def done(self) -> bool:
        """Whether it is there."""
        return self.at >= 0

    def advance(self, *, quiet: bool) -> None:
        """Look at the last line."""
        if not quiet or self._text.end <= self._from:
            return
        begin = self._text.line_start(self._text.end)
        last = self._text.slice(begin, self._text.end)
        if self._wanted.search(last):
            self.at = begin
