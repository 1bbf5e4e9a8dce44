"""Wait for frames on a CAN bus, or for their absence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import (
    BytePattern,
    ByteString,
    CanBus,
    CanFrame,
    Context,
    Duration,
    FilePath,
    Misfit,
    Module,
    RecipeFault,
    Result,
    arg,
    device,
)
from runner.api.frames import EXTENDED
from runner.modules.can.database import of_bus, problems
from runner.modules.can.expected import Expected, Search
from runner.modules.can.pattern import Pattern, capture_misfits, captured, pattern_misfits
from runner.modules.can.signals import Limits, SignalCheck, signal_misfits
from runner.modules.can.sources import ways_of


class Received(Result):
    """What was received: the last matching frame, and all of them."""

    data: ByteString
    """Of the last one; empty when none had to come."""
    frames: tuple[CanFrame, ...]
    elapsed: Duration
    """How long it was waited; 0 for what was there before."""
    latency: Duration | None = None
    """From the latest `can_send` to the first of them; None when there was none, or none sent."""
    rate: float | None = None
    """Frames a second, from the first to the last; None for one frame."""
    captured: dict[str, int]
    """The numbers in the byte ranges of `capture`, of the last frame."""
    signals: dict[str, Any]
    """The values of the signals of `message`, of the last frame."""


class CanExpect(Module):
    """Wait until frames come on a CAN bus, or make sure that none does.

    Looked at are the frames received since the latest `can_send` on this bus, or since the bus
    was opened when there was none, also those that came before this step began.
    With `message`, a frame counts when its `signals` are what they must be.

    Example::

        - can_send: {id: 0x7DF, data: "02 01 0C"}
        - can_expect: {id: 0x7E8, data: "04 41 0C ?? ??", within: 100ms, capture: {speed: 3..4}}
          measure: {speed: {value: result.captured.speed / 4, unit: rpm}}
        - can_expect: {id: 0x7E9, within: 500ms, absent: true}
        - can_expect: {frames: [{id: 0x100}, {id: 0x101, data: "01"}], order: false}
    """

    limited_by = "within"

    id: int | None = arg(default=None, help="its identifier; left out: any", minimum=0, maximum=EXTENDED)
    mask: int = arg(
        default=EXTENDED, help="the bits of the identifier that count", minimum=0, maximum=EXTENDED
    )
    data: BytePattern | None = arg(
        default=None, help='its bytes, ?? for any: "41 ?? 00"; left out: whatever they are'
    )
    data_mask: ByteString | None = arg(default=None, help='the bits of the data that count: "FF 0F"')
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )
    frames: list[Pattern] = arg(default=[], help="several frames, in the place of one")
    order: bool = arg(default=True, help="whether 'frames' must come in this order; others may be between")
    message: str = arg(default="", help="a message of the database, in the place of 'id' and 'data'")
    signals: dict[str, float | str | Limits] = arg(
        default={}, help="what its signals must be: 900, a named value, or {min: 800, max: 1000, unit: rpm}"
    )
    database: FilePath | None = arg(
        default=None, help="a DBC, ARXML, KCD or SYM file; left out: that of the bus"
    )
    count: int = arg(default=1, help="how many such frames must come", minimum=1)
    within: Duration = arg(default=Duration("1s"), help="how long to wait")
    absent: bool = arg(default=False, help="true: no such frame may come as long as that")
    since: Literal["send", "start", "now"] | int = arg(
        default="send",
        help="the frames to look at: since the latest can_send, since the bus was opened, from now on, "
        "or after the frame of this number",
    )
    after_mark: str = arg(default="", help="look at those after this mark of can_mark")
    capture: dict[str, str] = arg(
        default={}, help="numbers in its bytes: {rpm: 3..4}, counted from 0, the most significant byte first"
    )
    bus: CanBus = device(help="the bus it comes on")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which arguments exclude each other, and why no frame can match."""
        yield from pattern_misfits(given)
        yield from capture_misfits(given.get("capture", {}))
        ways = ways_of(given)
        if len(ways) > 1:
            yield Misfit(ways[1], f"{ways[1]} stands beside {ways[0]}", "a step expects one or the other")
        if given.get("signals") and given.get("message") == "":
            yield Misfit("signals", "signals belong to a message", "write message:")
        if given.get("after_mark") and given.get("since", "send") != "send":
            yield Misfit("after_mark", "after_mark stands beside since", "leave one of them out")
        if given.get("frames") and given.get("count", 1) > 1:
            yield Misfit("count", "count belongs to one frame, not to several")

    @classmethod
    def misfits_on(
        cls, given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[Misfit]:
        """Say what the database of the bus does not have."""
        if given.get("message") and "signals" in given:
            yield from problems(
                given, devices, lambda base: signal_misfits(base, given["message"], given["signals"])
            )

    def run(self, context: Context) -> Received:
        """Look at frames until enough of them match or the time is over."""
        search = Search(bus=self.bus, expected=self._expected(), within=self.within, absent=self.absent)
        after = self._start()
        if self.absent:
            search.refuse_any(after, context)
            return Received(data=ByteString(""), frames=(), elapsed=self.within, captured={}, signals={})
        found = search.all(after, context)
        return self._received(found, search)

    def _received(self, found: tuple[CanFrame, ...], search: Search) -> Received:
        last = found[-1]
        sent = self.bus.find(self.bus.last_sent) if self.bus.last_sent else None
        spread = last.time - found[0].time
        return Received(
            data=last.data,
            frames=found,
            elapsed=Duration(max(last.time - search.started, 0.0)),
            latency=None if sent is None else Duration(max(found[0].time - sent.time, 0.0)),
            rate=(len(found) - 1) / spread if spread > 0 else None,
            captured=captured(self.capture, last.data),
            signals=search.expected.signals_of(last),
        )

    def _expected(self) -> Expected:
        if self.message:
            base = of_bus(self.bus, self.database)
            check = SignalCheck(base, self.message, self.signals)
            return Expected(patterns=(check.pattern,) * self.count, ordered=True, check=check)
        if self.frames:
            return Expected(patterns=tuple(self.frames), ordered=self.order)
        one = Pattern(
            id=self.id, mask=self.mask, data=self.data, data_mask=self.data_mask, extended=self.extended
        )
        return Expected(patterns=(one,) * self.count, ordered=True)

    def _start(self) -> int:
        if self.after_mark:
            marks = self.bus.work.marks
            if self.after_mark not in marks:
                known = f"there are: {', '.join(marks)}" if marks else "can_mark sets one"
                raise RecipeFault(f"no mark {self.after_mark!r} on this bus", hint=known)
            return marks[self.after_mark]
        match self.since:
            case "send":
                return self.bus.last_sent
            case "start":
                return 0
            case "now":
                return self.bus.latest()
            case number:
                return number
