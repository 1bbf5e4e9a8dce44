"""One call on its way: what its caller waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from runner.agent.bulk import Unpacker
from runner.agent.calls import Heard, Piece, Put, Request, Reserve, Run, Saving, Take
from runner.agent.credit import Debt
from runner.agent.frames import Kind, ProtocolError
from runner.agent.limits import time_is_over
from runner.agent.messages import Message, from_json
from runner.agent.outbox import Outbox
from runner.agent.wording import pack_cancel, unpack_ended, unpack_heard
from runner.api.values import Duration
from runner.api.verdicts import LabError
from runner.connect.ending import exception_of
from runner.connect.link import Cancel
from runner.connect.upload import Upload

STOP_WITHIN = Duration(5)
"""How long a call may take to stop when told to."""
_MARGIN = 0.5
"""Seconds beyond its limit that the agent has for cancelling before we do it."""
_OTHERS = Duration(30)
"""The limit of what is not a Run; a Take may wait for its bench besides."""


class Told(str):
    """The cause of a cancel, on its way to the thread that waits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """Why there will be no answer, on its way to the thread that waits."""

    why: str
    said: str = ""
    """The last lines that the agent printed."""

    def error(self) -> LabError:
        """Make the error of whoever waited."""
        return LabError(self.why, evidence={"last lines": self.said} if self.said else {})


class InFlight:
    """A call whose answer one thread awaits and another brings."""

    def __init__(self, stream: int, request: Request, outbox: Outbox, upload: Upload | None = None) -> None:
        """Get ready to wait; `upload` sends what the agent wants to have for this call."""
        self._upload = upload
        self.stream = stream
        self.request = request
        self._outbox = outbox
        self._brought: SimpleQueue[Message | Told | Lost] = SimpleQueue()
        self._limit = _limit_of(request)
        self._unpacker: Unpacker | None = None
        self._debt = Debt()
        self._stop_by: float | None = None
        self._cause = ""

    @property
    def description(self) -> str:
        """Name it for people: ``UbootCmd on bench 'rpi4-01'``."""
        request = self.request
        name = request.path.rpartition(":")[2] if isinstance(request, Run) else type(request).__name__
        return f"{name} on bench {request.bench!r}"

    def bring(self, item: Message | Told | Lost) -> None:
        """Hand something to the thread that waits; credit at once to the one that sends."""
        if isinstance(item, Message) and item.kind is Kind.CREDIT and not self._tells(item):
            return
        self._brought.put(item)

    def _tells(self, credit: Message) -> bool:
        """Pass credit on; tell whether the thread that waits is to know of it, too."""
        return self._upload is None or self._upload.granted(credit.payload)

    def wait(self, hear: Callable[[Heard], None], cancel: Cancel) -> Any:
        """Wait for the end and return the answer; raises as `Link.call` does."""
        late_at = time.monotonic() + self._limit + _MARGIN
        leave = cancel.watch(lambda cause: self.bring(Told(cause)))
        try:
            while True:
                item = self._next(self._stop_by or late_at)
                if isinstance(item, Message):
                    if item.kind is Kind.RESULT:
                        return from_json(item.payload)
                    self._take(item, hear)
                elif isinstance(item, Lost):
                    raise item.error()
                else:
                    self._stop(item)
        finally:
            leave()
            if self._upload is not None:
                self._upload.close()

    def _next(self, until: float) -> Message | Told | Lost | None:
        try:
            return self._brought.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return None

    def _stop(self, told: Told | None) -> None:
        """Tell the agent to stop the call; raise LabError when that was in vain."""
        if self._stop_by is None:
            cause = told or self._over()
            self._cause = cause
            self._stop_by = time.monotonic() + STOP_WITHIN
            self.cancel(cause, timed_out=told is None)
        elif told is None:
            raise LabError(
                f"{self.description} did not stop within {STOP_WITHIN}, told so because {self._cause}",
                hint="what it uses is refused to later steps of this run",
            )

    def cancel(self, cause: str, *, timed_out: bool = False) -> None:
        """Ask the agent to stop it."""
        self._outbox.say(Kind.CANCEL, self.stream, pack_cancel(cause, timed_out=timed_out))

    def _over(self) -> str:
        request = self.request
        if isinstance(request, (Run, Put)):
            return time_is_over(request)
        return f"time is over: {Duration(self._limit)} for {type(request).__name__}"

    def _take(self, message: Message, hear: Callable[[Heard], None]) -> None:
        hear_of: Heard | None
        match message.kind:
            case Kind.EVENT | Kind.CREDIT if self._upload is not None:
                hear_of = self._upload.take(message)
            case Kind.EVENT:
                hear_of = unpack_heard(message.payload)
                self._unpacker = Unpacker() if isinstance(hear_of, Saving) else self._unpacker
            case Kind.DATA if self._unpacker is not None:
                hear_of = None
                for piece in self._unpacker.pieces(message.payload):
                    hear(Piece(piece))
                self._pay(len(message.payload))
            case Kind.ERROR:
                raise exception_of(unpack_ended(message.payload))
            case _:
                raise ProtocolError(f"{message.kind.name} in answer to {self.description}")
        if hear_of is not None:
            hear(hear_of)
        if self._upload is not None:
            self._upload.begin()

    def _pay(self, amount: int) -> None:
        credit = self._debt.read(amount)
        if credit:
            self._outbox.say(Kind.CREDIT, self.stream, credit)


def _limit_of(request: Request) -> float:
    if isinstance(request, (Run, Put)):
        return request.limit
    return _OTHERS + request.wait if isinstance(request, (Take, Reserve)) else _OTHERS
