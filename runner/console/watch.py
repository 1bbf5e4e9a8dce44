"""Watching a console all the time: what it says that fails whatever step runs.

A hit is told at once, and again when it is decided that it counts, with what followed. What a
command of ours has printed does not count (see `Watch.ended`), nor does what was said before the
power was switched. Nothing here waits: bytes and times come in as arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, Union

from runner.console import kmsg
from runner.console.alarm import Alarm, Hit, Undecided, Watching
from runner.console.boots import Boots
from runner.console.scan import Line, LineNumbers, Scan
from runner.console.search import Search, Sighting
from runner.console.transcript import Transcript
from runner.console.watched import FATAL, STAGES, TITLES, WATCHED, Stage, Watched, literals_of

_AFTER_PANIC = 600.0
"""Seconds in which a kernel that has panicked may restart the board (``panic=``)."""
_AFTER_RESETTING = 60.0
"""Seconds that the reset may take which U-Boot has announced."""
_SLACK = 1.0
"""Seconds that kernel messages may be out of order; what is older was read from a log."""
_BEFORE = 600
_LONGEST_TAIL = 4000
_LONGEST_LINE = 200
_LOOSE_STAMP = re.compile(rb"(?:<\d>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")
_SECONDS = re.compile(rb"^(?:<\d{1,3}>)?\[ *(\d+\.\d+)\]", re.MULTILINE)
_SYSLOG = (b"kernel: ", b"kernel:")
"""What syslog and journalctl write before a message of the kernel."""
_SWITCHED = "the power was switched"
_RESTARTS = MappingProxyType({"panic": _AFTER_PANIC, "uboot_reset": _AFTER_RESETTING})
"""What is followed by a reset that needs no name of its own."""


class _Said(NamedTuple):
    """A line without the kernel's stamp. `start`: its offset in its track."""

    raw: int
    message: bytes
    stamped: bool
    start: int


_Found = tuple[int, int, int, Union[Line, Sighting]]
"""The raw offsets of its last and its first byte, the track, and the line or the match itself."""


class Watch:
    """Listens to a transcript, for ever."""

    def __init__(self, transcript: Transcript, watching: Watching) -> None:
        """Watch what comes from now on."""
        self.boots = Boots()
        self._transcript = transcript
        self._watching = watching
        self._watched = tuple(each for each in WATCHED if each.name not in watching.allow)
        self._literals = literals_of(self._watched)
        self._without_kernel = literals_of(each for each in self._watched if not each.kernel)
        self._scans = (Scan(transcript.text), Scan(transcript.kernel))
        self._searches: list[Search] = []
        self._search_from_now()
        self._numbers = LineNumbers()
        self._undecided: Undecided | None = None
        self._count = 0
        self._latest = [-1, -1]
        """The raw offset of the last line that was judged, of each track."""
        self._muted = False
        self._said: set[str] = set()
        """The names that count once after each start, and have."""
        self._stamps_at = 0
        """Where in the kernel's messages those of the present start begin."""
        self._newest = -math.inf
        """The latest stamp of the present start, in seconds."""
        self._noted = 0

    def take(self, data: bytes) -> None:
        """Count the lines of raw bytes; called before the transcript gets them."""
        self._numbers.add(data)

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new."""
        found = [*self._new_text(quiet=quiet), *self._new_messages(quiet=quiet)]
        if self._searches:
            found += self._added(quiet=quiet)
        for _certain, raw, index, what in sorted(found, key=lambda each: each[:2]):
            if isinstance(what, Sighting):
                self._hit_added(what)
            elif raw > self._latest[index]:
                self._judge(raw, index, what)
        self._note_stamps()

    def tick(self, now: float) -> None:
        """Tell what is decided by now."""
        if self._undecided is not None and now >= self._undecided.due:
            self.finish()

    def finish(self) -> None:
        """Tell what is not decided yet as it is: nothing follows any more, or no more is waited for."""
        found, self._undecided = self._undecided, None
        if found is not None:
            self._watching.tell(found.alarm("sure", self._tail(found.hits[0].raw)))

    def power_lost(self) -> None:
        """Ignore everything until the power is switched on or the board starts."""
        self._withdraw(_SWITCHED)
        self._muted = True

    def power_on(self) -> None:
        """Expect the board to start."""
        self._withdraw(_SWITCHED)
        self._start(self._transcript.position)
        self.boots.power_on()

    def reached(self, order: int) -> None:
        """Take note that this stage of a start has answered us: the board has power, and is that far."""
        self._muted = False
        self.boots.reached(order)

    def ended(self, start: int, end: int, *, reads_log: bool = False) -> None:
        """Take back what stands in the output of a command, between two raw offsets: it has ended.

        A board that ends a command has neither panicked nor been reset meanwhile: such words were
        quoted. Others of the kernel were, too, if they have no stamp or the command reads its log.
        """
        self.boots.forget(start, end)
        if self._undecided is None:
            return
        self._undecided.hits = [
            hit
            for hit in self._undecided.hits
            if not start <= hit.raw < end or (hit.name not in FATAL and hit.stamped and not reads_log)
        ]
        if not self._undecided.hits:
            self._withdraw("it stands in the output of a command")

    def _judge(self, raw: int, index: int, line: Line) -> None:
        message, stamped = _message(line.data, in_kernel=bool(index))
        stage = _stage(message)
        if stage is not None and (stamped or not stage.kernel or not self._has_stamps(raw)):
            self._latest[index] = raw
            self._banner(stage, raw, message, stamped=stamped)
        if self._muted or (index and self._quoted_by_syslog(raw)):
            return
        said = _Said(raw, message, stamped, line.start)
        watched = next((each for each in self._watched if self._counts(each, said)), None)
        if watched is not None:
            self._latest[index] = raw
            self._hit(watched.name, watched.title, raw, message, stamped=stamped)

    def _counts(self, watched: Watched, said: _Said) -> bool:
        if not (watched.message if said.stamped else watched.text).match(said.message):
            return False
        if watched.once and watched.name in self._said:
            return False
        if watched.name == "uboot_reset":
            return not self.boots.expected(self._now)
        if not watched.kernel:
            return True
        if not said.stamped:
            return not self._has_stamps(said.raw)
        return watched.name == "panic" or self._is_new(said.start)

    def _banner(self, stage: Stage, raw: int, message: bytes, *, stamped: bool) -> None:
        if self._muted:
            self.boots.power_on()
        name = self.boots.banner(stage, raw, self._now)
        self._start(raw)
        if name and name not in self._watching.allow:
            self._hit(name, TITLES[name], raw, message, stamped=stamped)

    def _hit(self, name: str, title: str, raw: int, message: bytes, *, stamped: bool) -> None:
        said = message.decode("utf-8", "backslashreplace").strip()[:_LONGEST_LINE]
        hit = Hit(name, title, said, raw, self._numbers.of(raw), self._now, stamped)
        self._said.add(name)
        if name in _RESTARTS:
            self.boots.expect(self._now + _RESTARTS[name])
        if self._undecided is not None:
            self._undecided.hits.append(hit)
            return
        self._count += 1
        self._undecided = Undecided(self._count, [hit])
        self._watching.tell(self._undecided.alarm("seen"))

    def _new_text(self, *, quiet: bool) -> Iterator[_Found]:
        """Go through the new lines of the text; where the kernel stamps its messages, none is one of them."""
        text, scan = self._transcript.text, self._scans[0]
        start, stop = scan.news(quiet=quiet)
        stamped = self._noted > self._stamps_at
        lines = list(scan.lines(start, stop, self._without_kernel if stamped else self._literals))
        if stamped and any(_stage(line.data) for line in lines):
            lines = list(scan.lines(start, stop, self._literals))
        for line in lines:
            yield text.raw_of(line.end - 1), text.raw_of(line.start), 0, line

    def _new_messages(self, *, quiet: bool) -> Iterator[_Found]:
        kernel, scan = self._transcript.kernel, self._scans[1]
        for line in scan.lines(*scan.news(quiet=quiet), self._literals):
            yield kernel.raw_of(line.end - 1), kernel.raw_of(line.start), 1, line

    def _added(self, *, quiet: bool) -> Iterator[_Found]:
        """Go through what the patterns of the recipe have found."""
        for index, search in enumerate(self._searches):
            while (sighting := search.advance(quiet=quiet)) is not None:
                track = self._transcript.kernel if sighting.kernel else self._transcript.text
                search = Search(sighting.pattern, track, sighting.hit.end, kernel=sighting.kernel)  # noqa: PLW2901
                self._searches[index] = search
                yield sighting.certain - 1, sighting.start, int(sighting.kernel), sighting

    def _hit_added(self, sighting: Sighting) -> None:
        name = sighting.pattern.name
        if not self._muted:
            self._hit(name, name, sighting.start, sighting.hit.text, stamped=sighting.kernel)

    def _search_from_now(self) -> None:
        text, kernel = self._transcript.text, self._transcript.kernel
        for pattern in self._watching.added:
            self._searches.append(Search(pattern, text, text.end))
            self._searches.append(Search(pattern, kernel, kernel.end, kernel=True))

    def _start(self, raw: int) -> None:
        """Forget what was known of the system that ran before this offset."""
        self._muted = False
        self._said.clear()
        self._stamps_at = self._transcript.kernel.offset_of(raw)
        self._newest = -math.inf

    def _has_stamps(self, raw: int) -> bool:
        """Tell whether this kernel stamps its messages: then only those with a stamp are its own."""
        return self._transcript.kernel.offset_of(raw) > self._stamps_at

    def _is_new(self, start: int) -> bool:
        """Tell whether a line of the kernel is not older than those before it."""
        kernel = self._transcript.kernel
        newest = max(self._newest, self._newest_between(max(self._noted, self._stamps_at), start))
        stamp = _SECONDS.match(kernel.slice(start, kernel.line_end(start)))
        return stamp is None or float(stamp[1]) >= newest - _SLACK

    def _newest_between(self, start: int, end: int) -> float:
        stamps = _SECONDS.findall(self._transcript.kernel.slice(start, end))
        return max(map(float, stamps), default=-math.inf)

    def _note_stamps(self) -> None:
        """Remember how late it is by the kernel's clock."""
        end = self._transcript.kernel.end
        begin = max(self._noted, self._stamps_at)
        if end > begin:
            self._newest = max(self._newest, self._newest_between(begin, end))
            self._noted = end

    def _quoted_by_syslog(self, raw: int) -> bool:
        text = self._transcript.text
        at = text.offset_of(raw)
        return text.slice(max(at - 16, text.start), at).endswith(_SYSLOG)

    def _tail(self, raw: int) -> str:
        """Return what was said from a little before a raw offset on, cut when it is long."""
        transcript = self._transcript
        shown = transcript.merged(max(raw - _BEFORE, 0), transcript.position) + transcript.held
        if raw > _BEFORE:
            shown = shown[shown.find(b"\n") + 1 :]
        text = shown.decode("utf-8", "backslashreplace").strip()
        if len(text) <= _LONGEST_TAIL:
            return text
        last, left_out = _LONGEST_TAIL // 4, len(text) - _LONGEST_TAIL
        return f"{text[: 3 * last]}\n... {left_out} more characters are in the log ...\n{text[-last:]}"

    def _withdraw(self, why: str) -> None:
        found, self._undecided = self._undecided, None
        if found is None:
            return
        told = found.alarm("seen") if found.hits else Alarm(found.number, "seen")
        self._watching.tell(replace(told, state="nothing", why=why))

    @property
    def _now(self) -> float:
        return self._transcript.heard or 0.0


def _stage(message: bytes) -> Stage | None:
    return next((each for each in STAGES if each.pattern.match(message)), None)


def _message(line: bytes, *, in_kernel: bool) -> tuple[bytes, bool]:
    """Return a line without the stamp of the kernel, and whether it had one."""
    if in_kernel:
        return kmsg.text(line), True
    stamp = _LOOSE_STAMP.match(line)
    return (line[stamp.end() :], True) if stamp else (line, False)
