"""Carries what consoles receive to the controller, in order, and no faster than it is read there."""

from __future__ import annotations

import itertools
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from runner.agent.calls import Alarm, ConsoleBytes, Listening, Typed
from runner.agent.credit import Credit
from runner.agent.frames import FIRST_CONSOLE, LARGEST_PAYLOAD, Kind, ProtocolError
from runner.agent.outbox import Outbox, Rank
from runner.agent.reader import from_json, to_json

if TYPE_CHECKING:
    from runner.agent.offer import Offer
    from runner.agent.offers import MakeOffer

KEPT = 4 * 2**20
"""Bytes that wait for a slow controller; then the console's reader has to wait, too."""
_STAMP = struct.Struct(">QQQH")
_LARGEST_PART = LARGEST_PAYLOAD - _STAMP.size


class Chunk(Protocol):
    """What a console's reader records: `runner.console.Chunk`."""

    @property
    def index(self) -> int:
        """The place of the first byte."""

    @property
    def monotonic_ns(self) -> int:
        """When it was read, by the clock that never jumps."""

    @property
    def wall_ns(self) -> int:
        """When it was read, by the calendar."""

    @property
    def data(self) -> bytes:
        """The bytes."""

    @property
    def gap(self) -> str:
        """Why the port was away; then there are no bytes."""


def pack_chunk(chunk: Chunk) -> Iterator[bytes]:
    """Return the payloads of the DATA frames for a chunk."""
    gap = chunk.gap.encode()[: _LARGEST_PART // 2]
    for start in range(0, len(chunk.data) or 1, _LARGEST_PART - len(gap)):
        part = chunk.data[start : start + _LARGEST_PART - len(gap)]
        stamp = _STAMP.pack(chunk.index + start, chunk.monotonic_ns, chunk.wall_ns, len(gap))
        yield stamp + gap + part


def unpack_chunk(payload: bytes, bench: str, device: str) -> ConsoleBytes:
    """Read the payload of a DATA frame of a console; raise ProtocolError when it is too short."""
    if len(payload) < _STAMP.size:
        raise ProtocolError(f"expected console bytes, got {payload[:80]!r}")
    index, monotonic_ns, wall_ns, length = _STAMP.unpack_from(payload)
    start = _STAMP.size + length
    return ConsoleBytes(
        bench=bench,
        device=device,
        index=index,
        monotonic_ns=monotonic_ns,
        wall_ns=wall_ns,
        data=payload[start:],
        gap=payload[_STAMP.size : start].decode("utf-8", "replace"),
    )


def pack_name(bench: str, device: str) -> bytes:
    """Return the payload of the EVENT that begins a console's stream."""
    return to_json({"Console": {"bench": bench, "device": device}})


def unpack_name(payload: bytes) -> tuple[str, str]:
    """Read which console a stream is of; raise ProtocolError for anything else."""
    try:
        named = from_json(payload)["Console"]
        return str(named["bench"]), str(named["device"])
    except (TypeError, KeyError) as error:
        raise ProtocolError(f"expected a console's name, got {payload[:80]!r}") from error


class Sight(Protocol):
    """What a console's watch tells: `runner.console.alarm.Alarm`."""

    @property
    def number(self) -> int:
        """Which of this console's it is."""


def pack_alarm(alarm: Sight) -> bytes:
    """Return the payload of an EVENT on a console's stream, behind the bytes that it is about."""
    return to_json({"Alarm": alarm})


def unpack_told(payload: bytes, bench: str, device: str) -> Alarm | Listening | Typed | None:
    """Read what is told of a console; None for another event. Raise ProtocolError for nonsense."""
    told = from_json(payload)
    try:
        match told:
            case {"Alarm": fields}:
                others = tuple(fields.pop("others"))
                return Alarm(bench=bench, device=device, others=others, **fields)
            case {"Typed": fields}:
                data = fields.pop("data").encode("latin-1")
                return Typed(bench=bench, device=device, data=data, **fields)
            case {"Listening": fields}:
                return Listening(bench=bench, device=device, **fields)
    except (TypeError, KeyError, AttributeError, UnicodeError) as error:
        raise ProtocolError(f"expected what a console tells, got {payload[:80]!r}") from error
    return None


class Feed:
    """Sends what one console receives; holds up to `KEPT` bytes while the controller is slow."""

    def __init__(
        self,
        stream: int,
        outbox: Outbox,
        credit: Credit,
        *,
        name: str,
        kept: int = KEPT,
        offer: Offer | None = None,
    ) -> None:
        """Begin to send, on a thread of its own; who is attached by the `offer` hears it, too."""
        self._stream = stream
        self._outbox = outbox
        self._credit = credit
        self._kept = kept
        self._offer = offer
        self._changed = threading.Condition()
        self._chunks: deque[Chunk | bytes] = deque()
        self._held = 0
        self._recorded = 0
        self._sent = 0
        self._closed = False
        self.last_byte = -1.0
        """When the last byte came, in seconds of the monotonic clock; before that negative."""
        self._thread = threading.Thread(target=self._send, name=f"feed {name}", daemon=True)
        self._thread.start()

    def take_input(self, type_in: Callable[[bytes], None]) -> None:
        """Let those who are attached type, from now on, through `type_in`."""
        if self._offer is not None:
            self._offer.begin(type_in)

    def record(self, chunk: Chunk) -> None:
        """Take a chunk; called by the console's reader. After the end it is dropped: nobody reads it."""
        self.last_byte = time.monotonic() if chunk.data else self.last_byte
        if self._offer is not None:
            self._offer.hear(chunk)
        self._put(chunk, len(chunk.data))

    def tell(self, alarm: Sight) -> None:
        """Take what the console's watch says about the bytes that have been recorded."""
        self._put(pack_alarm(alarm), 0)

    def listening(self, settings: Any, seed: int | None) -> None:
        """Tell that the console is read from now on: its settings, encoded, and its seed."""
        began = {"monotonic_ns": time.monotonic_ns(), "settings": settings, "seed": seed}
        self._put(to_json({"Listening": began}), 0)

    def typed(self, data: bytes) -> None:
        """Take what is about to be typed."""
        told = {"monotonic_ns": time.monotonic_ns(), "data": data.decode("latin-1")}
        self._put(to_json({"Typed": told}), 0)

    def _put(self, item: Chunk | bytes, size: int) -> None:
        with self._changed:
            while self._held > self._kept and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            self._chunks.append(item)
            self._held += size
            self._recorded += 1
            self._changed.notify_all()

    def settle(self, seconds: float) -> bool:
        """Wait until what has been recorded so far is sent, or the time is over; tell whether it is."""
        with self._changed:
            wanted = self._recorded
            return self._changed.wait_for(lambda: self._sent >= wanted or self._closed, seconds)

    def close(self, seconds: float) -> None:
        """Send what is left, for so many seconds at most, and end the stream."""
        if self._offer is not None:
            self._offer.close()
        self.settle(seconds)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._credit.close()
        self._thread.join(seconds)

    def _send(self) -> None:
        try:
            while (item := self._next()) is not None:
                if isinstance(item, bytes):
                    self._outbox.say(Kind.EVENT, self._stream, item, Rank.CONSOLE)
                    self._count(0)
                    continue
                for payload in pack_chunk(item):
                    if not self._credit.spend(len(payload)):
                        break
                    self._outbox.say(Kind.DATA, self._stream, payload, Rank.CONSOLE)
                self._count(len(item.data))
            self._outbox.say(Kind.END, self._stream)
        except OSError:
            self._give_up()

    def _next(self) -> Chunk | bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._closed)
            if self._closed:
                return None
            return self._chunks.popleft()

    def _count(self, size: int) -> None:
        with self._changed:
            self._held -= size
            self._sent += 1
            self._changed.notify_all()

    def _give_up(self) -> None:
        """Let readers run on: the controller is gone, and the agent is about to end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Feeds:
    """Numbers the streams of consoles and knows their credit."""

    def __init__(self, outbox: Outbox, offers: MakeOffer | None = None) -> None:
        """Have no stream yet; `offers` lets others attach to each console."""
        self._outbox = outbox
        self._offers = offers
        self._numbers = itertools.count(FIRST_CONSOLE)
        self._credits: dict[int, Credit] = {}

    def begin(self, bench: str, device: str) -> Feed:
        """Begin a console's stream."""
        stream = next(self._numbers)
        credit = self._credits[stream] = Credit()
        self._outbox.say(Kind.EVENT, stream, pack_name(bench, device))
        offer = self._offers(bench, device) if self._offers is not None else None
        return Feed(stream, self._outbox, credit, name=f"{bench} {device}", offer=offer)

    def grant(self, stream: int, amount: int) -> None:
        """Let a console send more."""
        credit = self._credits.get(stream)
        if credit is not None:
            credit.grant(amount)


BeginFeed = Callable[[str, str], Feed]
