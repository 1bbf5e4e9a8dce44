"""Console: the interface that drivers offer by giving a port, and that verbs use."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Literal

from runner.api import Context, Duration, Interface, Secret
from runner.console import booting, environment, interrupt, leaving, login, prompt, shell, uboot, waiting
from runner.console.alarm import Watching
from runner.console.closing import leave_shell
from runner.console.dialog import Reply, talk
from runner.console.expectation import Mode
from runner.console.frame import Nonces
from runner.console.keyboard import Meanwhile, interrupting
from runner.console.live import Live, Place
from runner.console.pattern import Pattern, Patterns
from runner.console.restarts import RESTART_WITHIN, restarts_linux, restarts_uboot
from runner.console.results import (
    Boot,
    Booted,
    Entered,
    LoggedIn,
    LoggedOut,
    Match,
    PoweredOff,
    Ran,
    Talked,
)
from runner.console.settings import ConsoleSettings, Interrupt
from runner.console.source import Reader, Source
from runner.console.stream import Chunk, Stream
from runner.console.transfer import SpeedChange, answering, given_up
from runner.console.watch import Watch
from runner.console.watched import KERNEL, UBOOT
from runner.console.wire import Wire
from runner.console.xmodem import Conversation


class Console(Interface):
    """A serial console or what is like one, read from all the time.

    A driver gives `connect` and has an option `settings`; all else is written here. Positions
    are offsets in the raw log. One wait or exchange at a time, from one thread.
    """

    listens = True
    settings: ConsoleSettings
    _live: Live | None = None
    _nonces: Nonces | None = None

    @abc.abstractmethod
    def connect(self) -> Stream:
        """Open the port, by its stable name; raise LabError when it is not there. Called again when lost."""

    def start(
        self,
        record: Callable[[Chunk], None],
        name: str,
        *,
        source: Source | None = None,
        seed: int | None = None,
        watching: Watching | None = None,
        typed: Callable[[bytes], None] | None = None,
    ) -> None:
        """Read from now on; `record` gets every chunk. Raise the driver's LabError when there is no port.

        `source` replaces the reading thread; `seed` makes the nonces the same each time. `watching`:
        what is watched for all the time, and who is told (from the thread that reads). `typed` gets
        what is typed, before it is.
        """
        live = Live(source or Reader(self.connect, name), self.settings, name, record, watching, typed)
        live.start()
        self._live, self._nonces = live, Nonces(seed)

    def stop(self) -> None:
        """Give the shell back what was changed, within a second, and let go of the port."""
        live, self._live = self._live, None
        if live is not None:
            try:
                leave_shell(live, self._names)
            finally:
                live.source.stop()
                live.tell_watch(Watch.finish)

    def release(self) -> bool:
        """Let go of the port until it is used again; tell whether it was open."""
        live = self._started
        if live.source.gone:
            return False
        leave_shell(live, self._names)
        live.place = Place()
        live.source.release()
        live.remark("closed, so that somebody else can use the port")
        return True

    def remark(self, text: str) -> None:
        """Put a remark into the console's log, at this place."""
        self._started.remark(text)

    def send(self, data: bytes, context: Context, *, char_delay: Duration | None = None) -> None:
        """Type bytes as they are, at the console's pace or another; raise LabError when the port is gone."""
        text = data.decode("utf-8", "replace")
        if restarts_linux(text) or restarts_uboot(text):
            self.expect_reset()
        self._use.send(data, context, char_delay)

    def wire(self, context: Context) -> AbstractContextManager[Wire]:
        """Have the bytes as they come, for a protocol; they are in the raw log, and not looked at as text."""
        return self._use.wired(context)

    def expect(
        self,
        patterns: Patterns,
        context: Context,
        *,
        within: Duration,
        since: str = "last",
        forbid: Patterns = (),
        absent: bool = False,
        all_of: bool = False,
        ordered: bool = False,
        count: int = 1,
        origin: str = "within",
    ) -> Match:
        """Wait until a pattern is there (or all of them, or all in this order, or one so many times).

        Text is a regular expression, bytes are themselves, a mapping names them. They are looked
        for in the clean text and in the kernel's messages. `since`: ``last`` (the end of the last
        match), ``start``, ``now``, ``power_on`` or the name of a mark. A pattern of `forbid` fails
        at once. `absent`: none may appear within the time. `origin` names the limit `within`.

        Raise TimedOut (the evidence says what came, and what came nearest), Failed for what must
        not appear, LabError when the port is gone, RecipeFault for an impossible pattern or mark.
        """
        mode: Mode = "ordered" if ordered else "all" if all_of else "any"
        return waiting.expect(
            self._use,
            patterns,
            context,
            within=within,
            since=since,
            forbid=forbid,
            absent=absent,
            mode=mode,
            count=count,
            origin=origin,
        )

    def run(
        self,
        command: str,
        context: Context,
        *,
        timeout: Duration,
        meanwhile: Meanwhile | None = None,
    ) -> Ran:
        """Run a command at a POSIX shell and return its output and status, whatever the status is.

        The first time it enters the shell: proves it, and quiets it. Raise TimedOut when it has not
        ended in time (it is interrupted then, as when the step is cancelled) or no shell answers,
        LabError when it keeps arriving damaged or the port is gone. Kernel messages are not in the
        output, unless the command names the kernel's log (``dmesg``, ``journalctl``, ``kmsg``).
        `meanwhile` is called once the command runs: to type what it reads, or to speak its protocol.
        """
        if restarts_linux(command):
            self.expect_reset()
        with interrupting(self._use):
            ran = shell.run(self._use, command, self._names, context, timeout=timeout, meanwhile=meanwhile)
        self._reached(KERNEL)
        return ran

    def converse(
        self,
        command: str,
        conversation: Conversation,
        context: Context,
        *,
        total: int,
        timeout: Duration,
        at: Literal["shell", "uboot"] = "shell",
        change: SpeedChange | None = None,
    ) -> Ran:
        """Run a command that speaks XMODEM or YMODEM (``rx``, ``sx``, ``loadx``, ``loady``), and answer it.

        `change`: how our end goes to the speed that U-Boot was told, and back. Raise Failed with what
        the command said when it ends before the transfer, LabError when the transfer is given up; the
        rest as `run` and `run_uboot`.
        """
        answer = answering(self._use, conversation, context, total=total, change=change)
        run = self.run if at == "shell" else self.run_uboot
        ran = run(command, context, timeout=timeout, meanwhile=answer)
        if conversation.problem:
            raise given_up(self._started.name, command, conversation, ran)
        return ran

    def login(
        self, context: Context, *, user: str, password: Secret | str | None = None, within: Duration
    ) -> LoggedIn:
        """Get to a shell that answers: through the login if there is one.

        Raise Failed at once for a refused or expired password, an emergency shell, ``(initramfs)``
        or a kernel panic; TimedOut otherwise.
        """
        found = login.login(self._use, self._names, context, user=user, password=password, within=within)
        self._reached(KERNEL)
        return found

    def interrupt(self, context: Context, *, within: Duration) -> prompt.At:
        """Send Ctrl-C until a shell, U-Boot or a login prompt is there and has answered; return which.

        Raise TimedOut when none does, LabError when the port is gone.
        """
        at = prompt.interrupt(self._use, self._names, context, within=within)
        self._reached(UBOOT if at == "uboot" else KERNEL)
        return at

    def logout(self, context: Context, *, within: Duration) -> LoggedOut:
        """Leave the shell, and those around it, until the login asks again; raise TimedOut when none does."""
        return leaving.log_out(self._use, self._names, context, within=within)

    def poweroff(self, context: Context, *, command: str, silence: Duration, within: Duration) -> PoweredOff:
        """Have the system shut itself down by a command at its shell, and wait until it has ended.

        Raise Failed when the command fails, or when the shell still answers after `silence`; TimedOut.
        """
        return leaving.power_off(
            self._use, self._names, context, command=command, silence=silence, within=within
        )

    def dialog(
        self,
        replies: Sequence[Reply],
        context: Context,
        *,
        until: Pattern | None = None,
        forbid: Sequence[Pattern] = (),
        ordered: bool = False,
        within: Duration,
        since: str = "last",
    ) -> Talked:
        """Answer questions as they come, or in their order, until `until` or the last one.

        Raise Failed for what must not appear and for a question that comes too often; TimedOut.
        """
        return talk(
            self._use,
            replies,
            context,
            until=until,
            forbid=forbid,
            ordered=ordered,
            within=within,
            since=since,
        )

    def enter_uboot(
        self, context: Context, *, within: Duration, interrupt_by: Interrupt | None = None
    ) -> Entered:
        """Interrupt autoboot until U-Boot's prompt has answered. The power is switched by the caller.

        `interrupt_by` replaces the console's setting. Raise Failed when the kernel starts instead,
        TimedOut when there is no prompt.
        """
        how = interrupt_by or self.settings.uboot.interrupt
        entered = interrupt.enter(self._use, self._names, context, interrupt=how, within=within)
        self._reached(UBOOT)
        return entered

    def run_uboot(
        self,
        command: str,
        context: Context,
        *,
        timeout: Duration,
        meanwhile: Meanwhile | None = None,
    ) -> Ran:
        """Run a command at the U-Boot prompt; the status is None where its parser cannot tell.

        Raise Failed when no prompt answers, TimedOut when the command has not ended in time (it is
        interrupted then), LabError when what is typed does not come back as it was.
        """
        if restarts_uboot(command):
            self.expect_reset()
        with interrupting(self._use):
            ran = uboot.run(self._use, command, self._names, context, timeout=timeout, meanwhile=meanwhile)
        self._reached(UBOOT)
        return ran

    def boot_kernel(
        self, command: str, context: Context, *, within: Duration, first_line: str = ""
    ) -> Booted:
        """Type a command at the boot loader's prompt and wait until a kernel speaks.

        `first_line`: a regular expression of what proves it, for another system than Linux. Raise
        Failed when the prompt is back instead or the loader gives up, with what it complained
        about; TimedOut when no kernel speaks in time.
        """
        if restarts_uboot(command):
            self.expect_reset()
        with interrupting(self._use):
            return booting.boot(
                self._use, command, self._names, context, within=within, first_line=first_line
            )

    def get_env(self, name: str, context: Context, *, timeout: Duration) -> str | None:
        """Return the value of a U-Boot variable; None when it is not defined."""
        return environment.get(self._use, name, self._names, context, timeout=timeout)

    def set_env(self, name: str, value: str | None, context: Context, *, timeout: Duration) -> None:
        """Set a U-Boot variable, or delete it with None; raise Failed when U-Boot refuses."""
        environment.put(self._use, name, value, self._names, context, timeout=timeout)

    def mark(self, name: str) -> int:
        """Name the present position for `since`; return it."""
        live = self._started
        with live.source.lock:
            return live.transcript.mark(name, live.clock())

    def power_mark(self) -> None:
        """Set the mark ``power_on``: what came before it says nothing about the board any more."""
        self._started.power_mark()

    def power_lost(self) -> None:
        """Say that the power is about to be taken away: until it is back, nothing is an alarm."""
        self._started.tell_watch(Watch.power_lost)

    def expect_reset(self, within: float = RESTART_WITHIN) -> None:
        """Say that the board's next start, within so many seconds, is one that was asked for.

        Modules that make the board restart call it before. Commands that are known to (``reboot``,
        ``reset`` …) are recognised when `run`, `run_uboot` and `send` type them.
        """
        live = self._started
        live.tell_watch(lambda watch: watch.boots.expect(live.clock() + within))

    def boot(self) -> Boot:
        """Return when the stages of the last start were seen."""
        live = self._use
        with live.source.lock:
            return live.stages.boot

    def stages_reached(self) -> list[tuple[str, float]]:
        """Return the stages of starts that were reached since the last call: name and seconds.

        ``boot.kernel`` counts from the power-on mark, ``restart.kernel`` from the words that
        announced a restart.
        """
        live = self._live
        if live is None:
            return []
        with live.source.lock:
            return live.stages.news()

    @property
    def gone(self) -> str:
        """Why the port is away; empty when it is there."""
        return self._started.source.gone

    def position(self) -> int:
        """Return how many bytes have come."""
        return self._started.transcript.position

    def tail(self, lines: int = 8) -> str:
        """Return the last lines, cleaned, kernel messages among them."""
        live = self._started
        with live.source.lock:
            return live.transcript.tail(lines)

    def _reached(self, stage: int) -> None:
        """Take note of what has answered: a banner of an earlier stage is a reset from now on."""
        self._use.tell_watch(lambda watch: watch.reached(stage))

    @property
    def _started(self) -> Live:
        if self._live is None:
            raise RuntimeError("the console has not been started")
        return self._live

    @property
    def _use(self) -> Live:
        """What is typed on and waited at; a port that was let go of is opened again."""
        live = self._started
        if live.source.resume():
            live.remark("open again")
        return live

    @property
    def _names(self) -> Nonces:
        if self._nonces is None:
            self._nonces = Nonces()
        return self._nonces
