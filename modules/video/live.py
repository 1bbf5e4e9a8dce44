"""A stream of pictures that is read all the time, so that the newest one is never an old one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator

from runner.api import Context, Frame, LabError, Unreachable
from runner.api.record import Record
from runner.modules.video.source import Source

_KEPT = 64
"""Pictures that are there for who is slow."""
_ENDS_WITHIN = 5.0


class LiveStream:
    """Reads a camera's stream in a thread of its own, from its making to its `close`."""

    def __init__(self, source: Source) -> None:
        """Begin to read."""
        self._source = source
        self._record: Record[tuple[Frame, float]] = Record(_KEPT, source.url)
        self._failure: LabError | None = None
        self._thread = threading.Thread(target=self._read, name=f"read {source.url}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._thread.is_alive()

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

    def close(self) -> None:
        """End the connection and the thread."""
        self._source.web.abort()
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
