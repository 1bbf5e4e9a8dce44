"""All that a console has said: two clean texts, the marks in them, and who listens.

Bytes and times come in as arguments; nothing here waits, so everything can be tried byte by byte.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Protocol

from runner.console import kmsg
from runner.console.track import Track
from runner.console.view import Piece, View

KEEP = 8 * 1024 * 1024
"""Bytes of clean text kept in memory; the raw log has everything."""

_TIMES = 1 << 17


class Listener(Protocol):
    """Somebody who looks at the transcript whenever it has grown."""

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new; `quiet`: nothing came for a while."""


class Transcript:
    """What was said, with a place for each listener; offsets are those of the raw log."""

    def __init__(self, *, quiet: float, keep: int = KEEP) -> None:
        """Judge unfinished lines after `quiet` seconds of silence."""
        self.text = Track(keep)
        self.kernel = Track(keep)
        self.last = 0
        """Where the last match ended."""
        self.heard: float | None = None
        """When the last byte came."""
        self._quiet_after = quiet
        self._quiet = True
        self._grown = 0.0
        self._view = View()
        self._position = 0
        self._marks: dict[str, tuple[int, float | None]] = {"start": (0, None)}
        self._listeners: list[Listener] = []
        self._raws: list[int] = []
        self._times: list[float] = []

    @property
    def position(self) -> int:
        """How many bytes have come."""
        return self._position

    @property
    def held(self) -> bytes:
        """The unfinished end that may turn out to be a kernel message."""
        return self._view.held

    def feed(self, data: bytes, now: float) -> None:
        """Take the next bytes, which came at `now`."""
        if not data:
            return
        self._note_time(now)
        self._position += len(data)
        self.heard = now
        self._take(self._view.feed(data), now)
        self._advance(quiet=False)

    def skip(self, count: int) -> None:
        """Leave out so many bytes: they are no text."""
        self._position += count
        self._view.skip(count)

    def tick(self, now: float) -> None:
        """Take note of the time: after a while, silence means that nothing more will follow."""
        if self._view.held and self.heard is not None and now >= self.heard + self._quiet_after:
            self._take(self._view.flush(), self.heard)
        if not self._quiet and now >= self._grown + self._quiet_after:
            self._quiet = True
            self._advance(quiet=True)

    @property
    def quiet_at(self) -> float | None:
        """When `tick` has something to say, if nothing comes until then.

        Kernel messages do not break the silence of the text: a prompt is one also among them.
        """
        if self._view.held and self.heard is not None:
            return self.heard + self._quiet_after
        return None if self._quiet else self._grown + self._quiet_after

    def interrupted(self) -> None:
        """Forget what is unfinished: what comes next does not continue it."""
        self._take(self._view.flush(), self.heard or 0.0)
        self._view.restart()

    def listen(self, listener: Listener) -> None:
        """Let somebody look at what is there and at all that comes."""
        self._listeners.append(listener)
        listener.advance(quiet=self._quiet)

    def leave(self, listener: Listener) -> None:
        """Tell that somebody no longer looks."""
        self._listeners.remove(listener)

    def mark(self, name: str, now: float) -> int:
        """Name the present position and time; return the position."""
        self._marks[name] = (self._position, now)
        return self._position

    def marked_at(self, name: str) -> float | None:
        """Return when a mark was set; None when there is none."""
        return self._marks.get(name, (0, None))[1]

    def since(self, name: str) -> int:
        """Return the position that ``last``, ``start``, ``now`` or a mark stands for; raise KeyError."""
        if name == "now":
            return self._position
        return self.last if name == "last" else self._marks[name][0]

    @property
    def marks(self) -> tuple[str, ...]:
        """The names of all marks."""
        return tuple(self._marks)

    def kept_from(self) -> int:
        """Return the raw offset from which on the text is complete in memory."""
        return self.text.raw_of(self.text.start) if self.text.start else 0

    def time_of(self, raw: int) -> float | None:
        """Return when a byte came; None when that is too long ago."""
        index = bisect_right(self._raws, raw) - 1
        return self._times[index] if index >= 0 else None

    def merged(self, start: int, end: int, *, stamps: bool = True) -> bytes:
        """Return text and kernel messages between two raw offsets, as they came."""
        parts: list[bytes] = []
        done = self.text.offset_of(start)
        kernel = self.kernel
        for offset, line in kernel.lines(kernel.offset_of(start), kernel.offset_of(end)):
            here = self.text.offset_of(kernel.raw_of(offset))
            parts += [self.text.slice(done, here), line if stamps else kmsg.text(line), b"\n"]
            done = max(done, here)
        parts.append(self.text.slice(done, self.text.offset_of(end)))
        return b"".join(parts)

    def last_lines(self, since: int, size: int = 2048) -> Iterator[tuple[str, float | None]]:
        """Go through the lines of both texts since a raw offset, with their times: the last `size` bytes."""
        for track in (self.text, self.kernel):
            begin = max(track.offset_of(since), track.end - size)
            for offset, line in track.lines(begin, track.end):
                shown, at = line, self.time_of(track.raw_of(offset + max(len(line) - 1, 0)))
                if track is self.text and offset + len(line) == track.end:
                    shown, at = line + self.held, self.heard
                yield shown.decode("utf-8", "backslashreplace"), at

    def tail(self, count: int, since: int = 0) -> str:
        """Return the last lines, kernel messages among them, for a person to read."""
        start = max(since, self._position - 64 * 1024)
        shown = self.merged(start, self._position) + self.held
        return "\n".join(shown.decode("utf-8", "backslashreplace").splitlines()[-count:])

    def _take(self, pieces: list[Piece], now: float) -> None:
        for piece in pieces:
            if piece.kernel:
                self.kernel.append(piece)
            else:
                self.text.append(piece)
                self._grown, self._quiet = now, False

    def _advance(self, *, quiet: bool) -> None:
        for listener in tuple(self._listeners):
            listener.advance(quiet=quiet)

    def _note_time(self, now: float) -> None:
        self._raws.append(self._position)
        self._times.append(now)
        if len(self._raws) > _TIMES:
            del self._raws[: _TIMES // 2]
            del self._times[: _TIMES // 2]
