"""A stream that the host's ffmpeg fetches and decodes: JPEG pictures on a pipe."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import IO

from runner.api import Duration, Frame, LabError, Unreachable
from runner.api.process import end, popen
from runner.modules.video.ffmpeg import ARGUMENTS, BOUNDARY, PROGRAM, Stream
from runner.modules.video.multipart import Part, Parts
from runner.modules.video.source import frame_of

_READ = 64 * 1024
_KEPT_LINES = 20
_LAST_WORDS_WITHIN = 1.0


class Decoded:
    """One life of ffmpeg, from its making to the end of `parts`."""

    def __init__(self, stream: Stream, limit: Duration) -> None:
        """Start it; raise Unreachable when it is not installed."""
        self.url = stream.url
        self._stream = stream
        self._limit = limit
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        with os.fdopen(os.memfd_create("stream"), "w+b") as script:
            script.write(stream.script.encode())
            script.seek(0)
            try:
                self.process = popen(ARGUMENTS, stdin=script)
            except LabError as error:
                hint = f"apt install {PROGRAM} on the bench's host"
                raise type(error)(f"{self.url} needs {PROGRAM}: {error.message}", hint=hint) from error
        self._hearing = threading.Thread(target=self._hear, name=f"hear {PROGRAM}", daemon=True)
        self._hearing.start()

    def parts(self) -> Iterator[Part]:
        """Return the pictures as they are decoded; raise LabError when no more will come."""
        parts, count = Parts(BOUNDARY), 0
        try:
            while not parts.ended:
                began = self._idle_since()
                data = self._read()
                if not data:
                    break
                for part in parts.feed(data, began):
                    count += 1
                    yield part
        except ValueError as error:
            raise LabError(f"{self.url}: what {PROGRAM} gives is no stream: {error}") from error
        finally:
            status = self._let_go()
        raise self._stream.ended(tuple(self._said), status, count)

    def frame(self, jpeg: bytes, when: float) -> Frame:
        """Make a picture of what came; raise LabError when it is none."""
        return frame_of(self.url, jpeg, when)

    def abort(self) -> None:
        """End it; safe from any thread."""
        end(self.process)

    def _read(self) -> bytes:
        """Return what comes next, nothing at the end; raise Unreachable when the limit is over before."""
        if not self._comes_within(self._limit):
            udp = self._stream.transport == "udp"
            raise Unreachable(
                f"{self.url} has given no new picture within {self._limit}",
                evidence={"url": self.url, "limit": float(self._limit), "stderr": "\n".join(self._said)},
                hint="a slow one gets more time by the device's option 'limit'"
                + ("; does a firewall keep UDP away? There is 'transport: tcp'" if udp else ""),
            )
        return os.read(self._pictures.fileno(), _READ)

    def _idle_since(self) -> float:
        """Return a time before all that is read next came, or 0: it may have waited for long."""
        now = time.monotonic()
        return 0.0 if self._comes_within(0) else now

    def _comes_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._pictures, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _hear(self) -> None:
        """Keep its last words, without the password."""
        for line in self._words:
            self._said.append(self._stream.told(line.decode("utf-8", "replace")))

    def _let_go(self) -> int:
        """End it and whatever waits for it; return its exit status."""
        status = end(self.process)
        self._hearing.join(_LAST_WORDS_WITHIN)
        self._pictures.close()
        self._words.close()
        return status

    @property
    def _pictures(self) -> IO[bytes]:
        return _pipe(self.process.stdout)

    @property
    def _words(self) -> IO[bytes]:
        return _pipe(self.process.stderr)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("popen makes pipes unless it is told not to")
    return pipe
