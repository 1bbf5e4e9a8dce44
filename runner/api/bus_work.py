"""What goes on on a bus beside the steps of a recipe: tasks with names, marks, and what is kept for later."""

from __future__ import annotations

import abc
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from runner.api.values import Duration
from runner.api.verdicts import LabError, Verdict

_Frame = TypeVar("_Frame")
_NEAR = 0.002
"""Seconds before a frame is due from which on a stop waits for it: sleeping ends closer to its time."""
_STOP_WITHIN = 5.0
"""Seconds that a task gets to finish the frame that it is sending."""


class BusTask(abc.ABC):
    """Something that goes on until it is stopped or has come to its end."""

    what: object = None
    """What it does; a task that does the same need not be started anew."""

    @abc.abstractmethod
    def stop(self) -> int | None:
        """End it and return how many frames it has sent, None when nobody counts; once more is fine.

        Raise the verdict that it has ended by: a LabError, when the bus refused a frame.
        """

    @property
    @abc.abstractmethod
    def running(self) -> bool:
        """True until it has been stopped or has come to its end."""


class ThreadTask(BusTask):
    """A task in a thread: `work` returns how many frames it has sent, or 0 to end it."""

    def __init__(self, name: str, work: Callable[[threading.Event], int]) -> None:
        """Start; `work` is called until it returns 0 or the event that it gets is set."""
        self._work = work
        self._sent = 0
        self._failed: Verdict | None = None
        self.ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End it; raise LabError when it ended because the bus refused."""
        self.ending.set()
        self._thread.join(_STOP_WITHIN)
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed
        return self._sent

    @property
    def running(self) -> bool:
        """Tell whether it goes on."""
        return self._thread.is_alive() and not self.ending.is_set()

    def _run(self) -> None:
        try:
            while not self.ending.is_set():
                sent = self._work(self.ending)
                if not sent:
                    return
                self._sent += sent
        except Verdict as error:
            self._failed = error


class Periodic(ThreadTask, Generic[_Frame]):
    """Sends frames in turn, one each period; late ones do not move those after them.

    It is not python-can's thread (``can.broadcastmanager``), whose frames would pass by the
    record, and whose errors only a log gets.
    """

    def __init__(
        self,
        send: Callable[[_Frame], object],
        frames: Sequence[_Frame],
        period: Duration,
        duration: Duration | None,
    ) -> None:
        """Start now."""
        self._send = send
        self._frames = tuple(frames)
        self._period = float(period)
        self._began = self._due = time.perf_counter()
        self._end = None if duration is None else self._began + duration
        self._count = 0
        super().__init__("send periodically", self._send_next)

    def _send_next(self, ending: threading.Event) -> int:
        if self._end is not None and self._due >= self._end:
            return 0
        left = self._due - time.perf_counter()
        if left > _NEAR and ending.wait(left - _NEAR):
            return 0
        left = self._due - time.perf_counter()
        if left > 0:
            time.sleep(left)
        self._send(self._frames[self._count % len(self._frames)])
        self._count += 1
        self._due = self._began + self._count * self._period
        return 1


class BusWork:
    """The tasks of a bus by their names, marks in its record, and what modules keep on it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.marks: dict[str, int] = {}
        self.kept: dict[str, object] = {}
        """What a module has made once and needs again: a database that was read, say."""
        self._tasks: dict[str, BusTask] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> BusTask | None:
        """Return the task of that name while it goes on."""
        with self._lock:
            task = self._tasks.get(name)
            return task if task is not None and task.running else None

    def start(self, name: str, task: BusTask) -> None:
        """Keep a task; one that had its name is stopped. Raise LabError when that one had failed."""
        with self._lock:
            before, self._tasks[name] = self._tasks.get(name), task
        if before is not None:
            before.stop()

    def stop(self, name: str) -> int | None:
        """Stop a task and return how many frames it has sent; none of that name is fine, and 0.

        Raise LabError when the bus had refused one of its frames.
        """
        with self._lock:
            task = self._tasks.pop(name, None)
        return 0 if task is None else task.stop()

    def names(self) -> tuple[str, ...]:
        """Return the names of the tasks that have not been stopped."""
        with self._lock:
            return tuple(self._tasks)

    def close(self) -> None:
        """Stop every task; raise the first LabError of one that had failed, after stopping all."""
        failed: list[LabError] = []
        for name in self.names():
            try:
                self.stop(name)
            except Verdict as error:
                failed.append(LabError(f"task {name!r}: {error.message}", evidence=error.evidence))
        if failed:
            raise failed[0]
