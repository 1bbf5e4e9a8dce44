"""The edges on a line: read as they come, kept with their numbers."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque

from runner.api import Context, LabError
from runner.api.gpio import LineEvent
from runner.modules.gpio.uapi import EVENT_SIZE, events_of

_AT_ONCE = 64


class Edges:
    """Reads edges in a thread of its own, from the making of it to `close`, and keeps the newest of them."""

    def __init__(self, descriptor: int, label: str, capacity: int) -> None:
        """Begin to read; `label` names the line in errors."""
        self._label = label
        self._descriptor = descriptor
        self._kept: deque[LineEvent] = deque(maxlen=capacity)
        self._newest = 0
        self._lost: LabError | None = None
        self._changed = threading.Condition()
        self._ending, self._end = os.pipe()
        self._thread = threading.Thread(target=self._read, name=f"edges on {label}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        os.close(self._end)
        self._thread.join()
        os.close(self._ending)

    def latest(self) -> int:
        """Return the number of the newest edge."""
        with self._changed:
            return self._newest

    def next(self, after: int, timeout: float, context: Context) -> LineEvent | None:
        """Wait up to `timeout` seconds for the first edge numbered above `after`."""
        until = time.monotonic() + timeout
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
                while (found := self._find(after)) is None:
                    context.check_cancelled()
                    left = until - time.monotonic()
                    if left <= 0:
                        return None
                    self._changed.wait(left)
                return found
        finally:
            release()

    def _find(self, after: int) -> LineEvent | None:
        if self._lost is not None:
            raise self._lost
        if after >= self._newest:
            return None
        oldest = self._kept[0].number
        if after + 1 < oldest:
            raise LabError(
                f"{self._label}: {oldest - after - 1} edges after number {after} are lost from the record",
                hint="keep more of them with the driver's option 'record'",
            )
        return self._kept[after + 1 - oldest]

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._ending, select.POLLIN)
        while self._lost is None:
            ready = dict(poll.poll())
            if self._ending in ready:
                return
            try:
                data = os.read(self._descriptor, _AT_ONCE * EVENT_SIZE)
            except OSError as error:
                self._fail(f"{self._label}: its edges cannot be read: {error.strerror}")
                return
            if not data:
                self._fail(f"{self._label}: its chip has gone")
                return
            self._add(data)

    def _add(self, data: bytes) -> None:
        with self._changed:
            for event in events_of(data):
                if event.number != self._newest + 1:
                    lost = event.number - self._newest - 1
                    self._fail(f"{self._label}: the kernel lost {lost} edges: more come than can be read")
                self._newest = event.number
                edge = LineEvent(
                    edge="rising" if event.rising else "falling", time=event.time / 1e9, number=event.number
                )
                self._kept.append(edge)
            self._changed.notify_all()

    def _fail(self, message: str) -> None:
        with self._changed:
            self._lost = LabError(message)
            self._changed.notify_all()
