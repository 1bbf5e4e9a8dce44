"""A stream of pictures that is read all the time, so that the newest one is never an old one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator, Iterator
from typing import Protocol

from runner.api import Context, Frame, LabError, Unreachable
from runner.api.record import Record
from runner.modules.video.multipart import Part

_KEPT = 64
"""Pictures that are there for who is slow."""
_ENDS_WITHIN = 5.0
_WATCHED = 1.0


class PictureSource(Protocol):
    """Where pictures come from, one after the other."""

    @property
    def url(self) -> str:
        """Where it is, for messages."""

    def parts(self) -> Iterator[Part]:
        """Return what comes as it comes; raise LabError when it ends."""

    def frame(self, jpeg: bytes, when: float) -> Frame:
        """Make a picture of what came; raise LabError when it is none."""

    def abort(self) -> None:
        """Have `parts` end with an error at once; safe from any thread."""


class LiveStream:
    """Reads a camera's stream in a thread of its own, from its making to its `close`."""

    def __init__(self, source: PictureSource) -> None:
        """Begin to read."""
        self._source = source
        self._record: Record[tuple[Frame, float]] = Record(_KEPT, source.url)
        self._failure: LabError | None = None
        self._thread = threading.Thread(target=self._read, name=f"read {source.url}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._failure is not None or not self._thread.is_alive()

    def newest(self, context: Context, timeout: float) -> Frame:
        """Return the first picture that begins to come from now on; raise LabError when there is none."""
        asked = time.monotonic()
        found = self._next(self._record.latest(), timeout, context, asked)
        if found is None:
            raise Unreachable(
                f"{self._source.url} has given no new picture within {timeout:g}s",
                evidence={"url": self._source.url, "limit": timeout},
                hint="a slow one gets more time by the device's option 'limit'",
            )
        return found[1]

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Return the pictures that come from now on, for so long."""
        after = self._record.latest()
        while (left := until - time.monotonic()) > 0:
            found = self._next(after, left, context, -math.inf)
            if found is None:
                return
            after, frame = found
            yield frame

    def rate(self, context: Context) -> float | None:
        """Count for a second how many pictures come in one; None when fewer than two came."""
        times = [each.time for each in self.frames(context, time.monotonic() + _WATCHED)]
        span = times[-1] - times[0] if times else 0.0
        return round((len(times) - 1) / span, 2) if span else None

    def close(self) -> None:
        """End the connection and the thread."""
        self._source.abort()
        self._thread.join(_ENDS_WITHIN)

    def _next(self, after: int, timeout: float, context: Context, began: float) -> tuple[int, Frame] | None:
        try:
            found = self._record.next(after, timeout, context, lambda item: item[1] >= began)
        except LabError as error:
            raise (self._failure or error) from None
        return None if found is None else (found[0], found[1][0])

    def _read(self) -> None:
        try:
            for part in self._source.parts():
                self._record.add((self._source.frame(part.content, time.monotonic()), part.began))
        except LabError as error:
            self._failure = error
            self._record.end(error.message)
