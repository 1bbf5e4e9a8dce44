"""The agent's parent: whatever is left of it when it ends, hangs, or is killed, this ends.

It is the subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) of everything that the agent and its
children start, so daemons and orphans come to it. That costs nothing per program that is
started; PR_SET_PDEATHSIG would make every start a full fork (0.57 ms become 1.57) and is
forgotten by grandchildren.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from runner.agent.estate import Estate

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_AGENT_ENDS_WITHIN = 7.5
"""Seconds that the agent gets once its port is gone or a signal asked it to end."""
_HEIR_ENDS_WITHIN = 6.0
"""Seconds for the last orders of an agent that was killed."""
_GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL for what the agent left behind."""
_UNKILLABLE = 5.0
"""Seconds until a process that waits in the kernel is left to it."""
_KILLED = 128
"""Shells add this to the number of the signal that killed a program."""
_TO_HAND_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def guard(work: Callable[[Estate], NoReturn], inherit: Callable[[Estate], NoReturn]) -> int:
    """Run `work` in a child process; return its exit status once everything it started has ended.

    Signals that ask us to end are handed on. When we are killed, the child gets SIGTERM.
    They are blocked until each of us hears them: `work` unblocks them once it does.
    When the child was killed and has left orders, `inherit` carries them out in another.
    """
    estate = Estate()
    signal.pthread_sigmask(signal.SIG_BLOCK, _TO_HAND_ON)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    warden = os.getpid()
    agent = os.fork()
    if agent:
        return _Warden(agent, estate, inherit).wait()
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return 1 if os.getppid() != warden else work(estate)


class _Warden:
    """Waits for the agent with nothing but its port's state and signals to go by."""

    def __init__(self, agent: int, estate: Estate, inherit: Callable[[Estate], NoReturn]) -> None:
        self._agent = agent
        self._estate = estate
        self._inherit = inherit
        self._status: int | None = None
        self._deadline = math.inf
        self._poll = select.poll()
        self._port = _let_go_of_the_port()
        self._poll.register(self._port, select.POLLRDHUP)
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll.register(self._woken, select.POLLIN)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (*_TO_HAND_ON, signal.SIGCHLD):
            signal.signal(number, self._hear)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TO_HAND_ON)

    def wait(self) -> int:
        """Return the agent's exit status once nothing of it is left."""
        while self._status is None:
            self._status = dict(_buried()).get(self._agent)
            if self._status is None:
                self._wait_for_the_agent()
        self._end_the_rest()
        if not self._estate.settled:
            self._hand_over()
        _remove_files()
        signal.pthread_sigmask(signal.SIG_BLOCK, _TO_HAND_ON)  # the interpreter's end would let them kill us
        return self._status if self._status >= 0 else _KILLED - self._status

    def _hear(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD and self._status is None:
            self._hurry()
            with contextlib.suppress(ProcessLookupError):  # it may have been buried a moment ago
                os.kill(self._agent, number)

    def _hurry(self) -> None:
        self._deadline = min(self._deadline, time.monotonic() + _AGENT_ENDS_WITHIN)

    def _wait_for_the_agent(self) -> None:
        """Wait for anything to happen; kill an agent that has had its time."""
        if self._deadline <= time.monotonic():
            os.kill(self._agent, signal.SIGKILL)
            self._deadline = math.inf
        if self._sleep(self._deadline - time.monotonic()):
            self._hurry()

    def _sleep(self, seconds: float) -> bool:
        """Sleep until a signal comes, the port ends or the time is over; tell whether the port has ended."""
        ended = False
        for descriptor, _ in self._poll.poll(None if seconds == math.inf else max(0.0, seconds) * 1000):
            if descriptor == self._port:
                self._poll.unregister(self._port)
                ended = True
            else:
                os.read(self._woken, 4096)
        return ended

    def _hand_over(self) -> None:
        """Have what the agent has left undone be done, while its locks are still held."""
        heir = os.fork()
        if not heir:
            for number in (*_TO_HAND_ON, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            self._inherit(self._estate)
        until = time.monotonic() + _HEIR_ENDS_WITHIN
        while heir not in dict(_buried()) and time.monotonic() < until:
            self._sleep(until - time.monotonic())
        self._end_the_rest()

    def _end_the_rest(self) -> None:
        """Ask, then force; the children of the dead come to us as orphans, one generation after the other."""
        began = time.monotonic()
        told: set[int] = set()
        while _has_children():
            left = _children()
            spent = time.monotonic() - began
            if spent > _GRACE + _UNKILLABLE:
                return
            number = signal.SIGTERM if spent < _GRACE else signal.SIGKILL
            for pid in left - (told if number == signal.SIGTERM else set()):
                os.kill(pid, number)
            told |= left
            self._sleep(max(0.02, _GRACE - spent))
            dict(_buried())


def _remove_files() -> None:
    """Remove the files that an agent that was killed has left (`runner.agent.places`)."""
    root = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - where an agent makes its folder
    with contextlib.suppress(OSError):
        for name in os.listdir(root):  # noqa: PTH208 - see _parent
            if name.startswith(f"runner-files-{os.getpid()}-"):
                import shutil

                shutil.rmtree(f"{root}/{name}")


def _let_go_of_the_port() -> int:
    """Leave stdin and stdout to the agent; keep a descriptor that only tells whether stdin has ended."""
    port = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return port


def _buried() -> Iterator[tuple[int, int]]:
    """Reap every child that has died; return their process ids and exit statuses (negative: a signal)."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> set[int]:
    ourselves = os.getpid()
    every = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - see _parent
    return {pid for pid in every if _parent(pid) == ourselves}


def _parent(pid: int) -> int | None:
    """Return a process's parent (proc(5), ``stat``); None once it is gone.

    Without `pathlib`: its import would be a tenth of the agent's start.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            stat = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])
