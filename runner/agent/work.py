"""Threads that run calls and are kept for the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Workers:
    """Runs each piece of work at once, on a thread that is free or on a new one.

    The threads stay until the process ends: some programs that a driver starts are
    tied to the thread that started them (prctl(2), PR_SET_PDEATHSIG).
    """

    def __init__(self) -> None:
        """Start none yet."""
        self._lock = threading.Lock()
        self._work: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._free = 0
        self._started = 0

    def run(self, work: Callable[[], object]) -> None:
        """Run `work`, which must not raise, on some thread."""
        with self._lock:
            if self._free:
                self._free -= 1
            else:
                self._started += 1
                name = f"worker {self._started}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
        self._work.put(work)

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            work()
            del work
            with self._lock:
                self._free += 1
