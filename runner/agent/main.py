"""The agent's process: its port, its signals, its end."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import math
import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from runner.agent.frames import CONNECTION, PROTOCOL, FrameReader, Kind, ProtocolError
from runner.agent.importer import PushedSources
from runner.agent.outbox import Outbox
from runner.agent.pipes import write_all
from runner.agent.reader import WANTED, Message, MessageReader, from_json, to_json, unpack_sources

if TYPE_CHECKING:
    from runner.agent.bundle import Bundle
    from runner.agent.locks import Locks
    from runner.agent.quarantine import Quarantines
    from runner.agent.service import Service

_READ = 64 * 1024
_PATIENCE = 60.0
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def main(sources: PushedSources) -> NoReturn:
    """Serve the controller on stdin and stdout until it goes, then end the process.

    What the controller pushes is added to `sources`, which `sys.meta_path` has already.
    """
    source, sink = take_port()
    faulthandler.enable(all_threads=False)
    outbox = Outbox(lambda data: write_all(sink, data))
    service = LateService(outbox, sources)
    outbox.say(Kind.HELLO, CONNECTION, to_json({"protocol": PROTOCOL, "python": sys.version.split()[0]}))
    try:
        cause = _serve(service, source)
        status = 0
    except ProtocolError as error:
        cause, status = f"protocol error: {error}", 1
        sys.stderr.write(f"runner agent: {cause}\n")
        with contextlib.suppress(OSError):  # whoever sent this may be gone
            outbox.say(Kind.ERROR, CONNECTION, cause.encode()[:1024])
    service.end(cause)
    leave(status)


def take_port() -> tuple[int, int]:
    """Move stdin and stdout away, so that nobody's ``print`` gets between our frames; return where to.

    Reading 0 gives nothing from now on, and what is written to 1 comes out of 2.
    """
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    return source, sink


class LateService:
    """The service, imported with the first message but a PUSH: the rest of the agent may come in one."""

    def __init__(self, outbox: Outbox, sources: PushedSources) -> None:
        """Import nothing yet."""
        self._outbox = outbox
        self._sources = sources
        self._service: Service | None = None
        self._bundle: Bundle | None = None
        self._held: list[Message] | None = None

    @property
    def patience(self) -> float:
        """Seconds without a word of the controller until it is taken for dead."""
        return _PATIENCE if self._service is None else self._service.patience

    def take(self, message: Message) -> None:
        """Keep what is pushed; hand everything else on, once all of it is there."""
        if message.kind is Kind.PUSH:
            self._push(message.payload)
            return
        if self._held is not None:
            self._held.append(message)
            return
        if self._service is None:
            from runner.agent.service import Service

            self._service = Service(self._outbox, _locks, _quarantines)
        self._service.take(message)

    def end(self, cause: str) -> None:
        """End what was begun."""
        if self._service is not None:
            self._service.end(cause)

    def _push(self, payload: bytes) -> None:
        if payload[:1] == b"[":
            from runner.agent.bundle import Bundle  # it was pushed just before

            self._bundle = Bundle(*from_json(payload))
            payload = self._bundle.read()
            if not payload:
                self._held = []
                self._outbox.say(Kind.EVENT, CONNECTION, WANTED)
                return
        self._add(payload)
        if self._held is not None and self._bundle is not None:
            self._bundle.keep(payload, self._outbox)
            held, self._held = self._held, None
            for message in held:
                self.take(message)

    def _add(self, payload: bytes) -> None:
        try:
            self._sources.add(unpack_sources(payload))
        except (TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(f"expected sources, got {payload[:80]!r}") from error


def _serve(service: LateService, source: int) -> str:
    """Feed the service until there is a reason to end; return it."""
    frames, messages = FrameReader(), MessageReader()
    woken = _wake_on_signals()
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(woken, select.POLLIN)
    heard = time.monotonic()
    while True:
        left = heard + service.patience - time.monotonic()
        ready = poll.poll(max(0, math.ceil(left * 1000)))
        if not ready:
            return f"no word from the controller for {service.patience:g}s"
        if any(descriptor == woken for descriptor, _ in ready):
            return f"ended by {signal.Signals(os.read(woken, 1)[0]).name}"
        data = os.read(source, _READ)
        heard = time.monotonic()
        if not data:
            frames.finish()
            return "the controller is gone"
        for frame in frames.feed(data):
            message = messages.take(frame)
            if message is not None:
                service.take(message)


def _locks() -> Locks:
    from runner.agent.standing import own_locks

    return own_locks(os.environ)


def _quarantines() -> Quarantines:
    from runner.agent.quarantine import Quarantines
    from runner.agent.state_files import state_folders

    return Quarantines(state_folders(os.environ))


def _wake_on_signals() -> int:
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    for number in _SIGNALS:
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return woken


def leave(status: int) -> NoReturn:
    """End the process at once: threads that a module left behind are not waited for."""
    atexit._run_exitfuncs()  # noqa: SLF001 - what sys.exit would do after waiting for them
    _flush()
    os._exit(status)


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError):  # stderr may be gone, or closed by a module
        sys.stdout.flush()
        sys.stderr.flush()
