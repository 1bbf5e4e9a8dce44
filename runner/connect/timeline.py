"""What happened on a bench, one thing after the other, and the virtual time in which it happens again.

Time passes only when somebody waits, up to the next thing that a console received. Where something
was typed or switched, nothing more is received until that is typed or switched again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from runner.api.verdicts import LabError
from runner.connect.recorded import Asked, Entry, Listened, Received, Typing
from runner.console.stream import Chunk

_LONGEST_STEP = 0.25
_READS = frozenset({"state", "read", "label", "capabilities"})
"""What a switch may be asked more or less often than it was: how often depends on the time of day."""
_KEY = 8
"""Bytes of what may be a key that is pressed again and again, once more or less than it was."""
_HINT = "the recording can only answer what was asked of the board that day"


class Timeline:
    """The time of a replay; what is received goes to the consoles that listen."""

    def __init__(self, entries: Sequence[Entry], began: int, *, origin: str = "") -> None:
        """Begin at `began` nanoseconds; `origin` says why this runner may type other things, if it may."""
        self._origin = origin
        self.now_ns = began
        self.lock = threading.Condition()
        self.listening: dict[str, Callable[[Chunk], None]] = {}
        self.diverged = ""
        """How what is done differs from what was done; empty while it does not."""
        self.limit: Callable[[], float | None] = lambda: None
        """Return when the limit of the running call is, in seconds, and see to it that it acts."""
        self._entries = entries
        self._next = 0
        self._indices: dict[str, int] = {}
        first = next((each for each in entries if isinstance(each, Received)), None)
        self._calendar = 0 if first is None else first.wall_ns - first.at
        self._last: dict[str, bytes] = {}
        self._answers: dict[tuple[str, str], Asked] = {}

    @property
    def now(self) -> float:
        """The time in seconds."""
        return self.now_ns / 1e9

    @property
    def calendar_ns(self) -> int:
        """The time of the calendar in nanoseconds, by the clock of that day."""
        return self.now_ns + self._calendar

    def listen_again(self) -> list[Listened]:
        """Go to where the consoles of a bench began to be listened to; return them."""
        while self._next < len(self._entries) and not isinstance(self._entries[self._next], Listened):
            self._next += 1
        found = []
        for entry in self._entries[self._next :]:
            if not isinstance(entry, (Listened, Received)):
                break
            if isinstance(entry, Listened):
                found.append(entry)
        if found:
            self.now_ns = max(self.now_ns, found[0].at)
        return found

    def pass_until(self, until: float) -> None:
        """Let time pass up to the next thing that is received, `until`, or a limit; a little at a time."""
        with self.lock:
            limit = self.limit()
            until = min(until, self.now + _LONGEST_STEP, until if limit is None else max(limit, self.now))
            until_ns = max(math.ceil(until * 1e9), self.now_ns + 1)  # however near it is, time passes
            entry = self._received_before(until_ns)
            if entry is not None:
                self._deliver(entry)
            else:
                self.now_ns = max(self.now_ns, until_ns)
                self._tick()
            self.limit()

    def reach(self, at: int) -> None:
        """Let time pass until `at` nanoseconds, in which nobody waits for anything."""
        with self.lock:
            while (entry := self._received_before(at)) is not None:
                self._deliver(entry)
            self.now_ns = max(self.now_ns, at)

    def typed(self, device: str, data: bytes) -> None:
        """Have something typed; raise LabError when something else was."""
        with self.lock:
            self._refuse_more()
            place = self._barrier(skip_reads=True)
            entry = self._entries[place] if place is not None else None
            if place is not None and _repeats(entry, device, self._last) and not _is(entry, device, data):
                after = self._barrier(place + 1, skip_reads=True)
                if after is not None and _is(self._entries[after], device, data):
                    place, entry = after, self._entries[after]
            if place is not None and _is(entry, device, data):
                self._go_to(place)
            elif not (len(data) <= _KEY and self._last.get(device) == data):
                raise self._diverge(f"{data!r} would be typed on console {device!r}", entry)
            self._last[device] = data

    def ask(self, device: str, method: str) -> Asked:
        """Ask a switch what it was asked; raise LabError when something else was done."""
        with self.lock:
            self._refuse_more()
            place = self._barrier(skip_reads=method not in _READS)
            entry = self._entries[place] if place is not None else None
            if (
                place is not None
                and isinstance(entry, Asked)
                and (entry.device, entry.method) == (device, method)
            ):
                self._go_to(place)
                self.reach(entry.ended_ns)
                self._answers[device, method] = entry
                return entry
            known = self._answers.get((device, method))
            if method in _READS and known is not None:
                return known
            raise self._diverge(f"{device!r} would be asked for {method!r}", entry)

    def _refuse_more(self) -> None:
        if self.diverged:
            raise LabError(self.diverged, hint=_HINT)

    def _diverge(self, would: str, entry: Entry | None) -> LabError:
        self.diverged = f"the replay leaves the recording here: {would}, and {_done(entry)}{self._origin}"
        return LabError(self.diverged, hint=_HINT)

    def _go_to(self, place: int) -> None:
        """Deliver what was received before an entry, and go behind it."""
        while self._next < place:
            entry = self._entries[self._next]
            self._next += 1
            if isinstance(entry, Received):
                self._deliver_now(entry)
        self._next = place + 1
        self.now_ns = max(self.now_ns, self._entries[place].at)

    def _barrier(self, start: int | None = None, *, skip_reads: bool) -> int | None:
        """Return the place of the next thing that was done."""
        for place in range(self._next if start is None else start, len(self._entries)):
            entry = self._entries[place]
            if isinstance(entry, Typing) or (
                isinstance(entry, Asked) and not (skip_reads and entry.method in _READS)
            ):
                return place
        return None

    def _received_before(self, until_ns: int) -> Received | None:
        while self._next < len(self._entries):
            entry = self._entries[self._next]
            if isinstance(entry, Received) and entry.device in self.listening:
                return entry if entry.at <= until_ns else None
            if not isinstance(entry, Listened) or entry.device not in self.listening:
                return None
            self._next += 1
        return None

    def _deliver(self, entry: Received) -> None:
        self._next += 1
        self._deliver_now(entry)

    def _deliver_now(self, entry: Received) -> None:
        self.now_ns = max(self.now_ns, entry.at)
        index = self._indices.get(entry.device, 0)
        self._indices[entry.device] = index + len(entry.data)
        hear = self.listening.get(entry.device)
        if hear is not None:
            hear(Chunk(index, self.now_ns, entry.wall_ns, entry.data, entry.gap, entry.ended))

    def _tick(self) -> None:
        """Tell the consoles what time it is."""
        for device, hear in tuple(self.listening.items()):
            hear(Chunk(self._indices.get(device, 0), self.now_ns, 0, b""))


def _is(entry: Entry | None, device: str, data: bytes) -> bool:
    return isinstance(entry, Typing) and entry.device == device and entry.data == data


def _repeats(entry: Entry | None, device: str, last: dict[str, bytes]) -> bool:
    return (
        isinstance(entry, Typing)
        and entry.device == device
        and len(entry.data) <= _KEY
        and last.get(device) == entry.data
    )


def _done(entry: Entry | None) -> str:
    """Say what was done instead."""
    if isinstance(entry, Typing):
        return f"{entry.data!r} was typed on console {entry.device!r}"
    if isinstance(entry, Asked):
        return f"{entry.device!r} was asked for {entry.method!r}"
    return "nothing more was done before the recording ended"


class TimelineSource:
    """What one console receives in a replay."""

    def __init__(self, timeline: Timeline, device: str) -> None:
        """Take the part of a timeline that is this console's."""
        self.lock = timeline.lock
        self._timeline = timeline
        self._device = device
        self._gone = ""
        self._released = False

    @property
    def gone(self) -> str:
        """Why the port is away; empty when it is there."""
        return self._gone

    def start(self, hear: Callable[[Chunk], None]) -> None:
        """Have `hear` called for what was received."""

        def listen(chunk: Chunk) -> None:
            if chunk.gap:
                self._gone = chunk.gap.removeprefix("lost: ") if chunk.gap.startswith("lost: ") else ""
            elif chunk.data:
                self._gone = ""
            hear(chunk)

        self._timeline.listening[self._device] = listen

    def stop(self) -> None:
        """Listen no more."""
        self._timeline.listening.pop(self._device, None)

    def release(self) -> None:
        """Let go of a port that is not there."""
        self._released = True

    def resume(self) -> bool:
        """Use it again; tell whether it was let go of."""
        was, self._released = self._released, False
        return was

    def clock(self) -> float:
        """Return the time of the replay."""
        return self._timeline.now

    def calendar(self) -> int:
        """Return the time of the calendar, in nanoseconds."""
        return self._timeline.calendar_ns

    def wait(self, timeout: float) -> None:
        """Let time pass."""
        self._timeline.pass_until(self._timeline.now + timeout)

    def wake(self) -> None:
        """Nobody waits in another thread."""

    def write(self, data: bytes) -> None:
        """Type nothing: `Timeline.typed` has compared it by now."""
        del data
