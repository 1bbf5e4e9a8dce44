"""Commands at a POSIX shell: one exchange each, framed, and checked before they run."""

from __future__ import annotations

from runner.api import Context, Duration, LabError, TimedOut
from runner.console import frame
from runner.console.enter import enter, prove
from runner.console.exchange import Answer, Exchange
from runner.console.keyboard import CLEAR, Meanwhile, ask, clear, note_damage, say_checked
from runner.console.live import Deadline, Live
from runner.console.results import Ran
from runner.console.waiting import limit_evidence, shown

_READS_KERNEL_LOG = ("dmesg", "journalctl", "kmsg", "kern.log")


def run(
    live: Live,
    command: str,
    nonces: frame.Nonces,
    context: Context,
    *,
    timeout: Duration,
    meanwhile: Meanwhile | None = None,
) -> Ran:
    """Run a command at the shell; enter the shell first when that has not been done. See `Console.run`."""
    frame.refuse_untypable(command, "the command")
    deadline = Deadline(live, timeout, "timeout", context)
    if live.place.kind not in ("shell", "plain shell"):
        enter(live, nonces, deadline, context)
    resent = 0
    answer = None
    if live.place.kind == "shell":
        answer, resent = _checked(live, command, nonces, deadline, context, meanwhile)
    if answer is None:
        answer, again = _plain(live, command, nonces, deadline, context, meanwhile)
        resent += again
    live.transcript.last = answer.certain
    live.command_ended(answer.start, answer.certain, reads_log=_reads_kernel_log(command))
    return _ran(live, command, answer, deadline, resent)


def _ran(live: Live, command: str, answer: Answer, deadline: Deadline, resent: int) -> Ran:
    output = answer.output
    if answer.kernel and _reads_kernel_log(command):
        output = _with_kernel(live, answer)
    came = live.transcript.time_of(answer.certain - 1)
    return Ran(
        output=shown(output).rstrip("\n"),
        status=answer.status,
        elapsed=Duration(max((came or live.clock()) - deadline.started, 0.0)),
        kernel=tuple(shown(line) for line in answer.kernel),
        resent=resent,
        dropped=answer.dropped,
    )


def _reads_kernel_log(command: str) -> bool:
    return any(word in command for word in _READS_KERNEL_LOG)


def _with_kernel(live: Live, answer: Answer) -> bytes:
    """Return the output with kernel messages left in it: the command was asked for them."""
    transcript = live.transcript
    return transcript.merged(answer.start, answer.end)


def _checked(
    live: Live,
    command: str,
    nonces: frame.Nonces,
    deadline: Deadline,
    context: Context,
    meanwhile: Meanwhile | None,
) -> tuple[Answer | None, int]:
    """Run a command by the shell's function; without an answer the shell turned out to have none."""
    for attempt in range(2):
        nonce = nonces.next(4)
        line = frame.checked_line(command, nonce)
        exchange = say_checked(live, nonce, line, deadline, context, meanwhile=meanwhile)
        if exchange.answer is not None:
            return exchange.answer, attempt
        if exchange.begun is not None or live.clock() >= deadline.until:
            raise _timed_out(live, command, exchange, deadline)
        if exchange.lost:
            enter(live, nonces, deadline, context)
            if live.place.kind != "shell":
                return None, attempt
            continue
        if not exchange.refused:
            clear(live, context)
        if attempt == 0:
            note_damage(live, command, context)
    if not exchange.refused:
        prove(live, nonces, deadline, context)
    raise LabError(
        f"console {live.name!r}: the command arrives damaged, also when typed again: {command[:60]!r}",
        evidence={"command": command, "tail": live.transcript.tail(8)},
        hint="set char_delay on this console, and check its speed and wiring",
    )


def _plain(
    live: Live,
    command: str,
    nonces: frame.Nonces,
    deadline: Deadline,
    context: Context,
    meanwhile: Meanwhile | None,
) -> tuple[Answer, int]:
    """Run a command at a shell that cannot check it: by the echo, before Enter is pressed."""
    nonce = nonces.next(3)
    line = f"eval {frame.quoted(command)};{frame.closing(nonce)}"
    exchange, resent = ask(live, nonce, line, deadline, context, meanwhile=meanwhile)
    if exchange.answer is None:
        raise _timed_out(live, command, exchange, deadline)
    return exchange.answer, resent


def _timed_out(live: Live, command: str, exchange: Exchange, deadline: Deadline) -> TimedOut:
    """Interrupt the command and say that it took too long."""
    live.check_present()
    evidence = limit_evidence(live, deadline, exchange.start)
    live.type(CLEAR)
    return TimedOut(
        f"console {live.name!r}: {command[:60]!r} has not ended within {Duration(deadline.seconds)}; "
        "it was interrupted with Ctrl-C",
        evidence={"command": command, **evidence},
    )
