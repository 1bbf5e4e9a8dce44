"""Serves the controller's requests: the agent without its port."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from runner.agent.benches import Benches
from runner.agent.call import Call
from runner.agent.calls import Configure, Question, Request, Said, TakenAway
from runner.agent.consoles import Feeds
from runner.agent.credit import amount_of
from runner.agent.endings import ended
from runner.agent.estate import Estate
from runner.agent.frames import CONNECTION, FIRST_CONSOLE, PROTOCOL, Kind, ProtocolError
from runner.agent.messages import Message, from_json, to_json
from runner.agent.offers import offers
from runner.agent.outbox import Outbox
from runner.agent.places import Places
from runner.agent.timers import Timers
from runner.agent.wording import pack, unpack_cancel, unpack_request
from runner.agent.work import Workers

if TYPE_CHECKING:
    from runner.agent.locks import Locks
    from runner.agent.policy import Rules
    from runner.agent.quarantine import Quarantines

_CALLS_END_WITHIN = 2.5
"""Seconds that cancelled calls get when the agent ends; with the next two, less than its warden gives it."""
_OBEY_WITHIN = 2.5
"""Seconds that benches get for their last orders when the controller has gone."""
_CLOSE_WITHIN = 2.0
"""Seconds for closing devices."""


class Service:
    """Takes messages, and never waits in doing so; whatever takes time runs on a worker."""

    def __init__(
        self,
        outbox: Outbox,
        make_locks: Callable[[], Locks],
        make_quarantines: Callable[[], Quarantines],
        estate: Estate,
        make_rules: Callable[[], Rules] | None = None,
    ) -> None:
        """Serve nobody yet; `estate` is what is left when we are killed."""
        self._outbox = outbox
        self._feeds = Feeds(outbox, offers(self._remark))
        self._workers = Workers()
        self._places = Places()
        self._benches = Benches(
            self._feeds.begin,
            make_locks,
            make_quarantines,
            Timers(),
            self._workers,
            self._tell,
            self._places,
            estate,
            make_rules or _rules,
        )
        self._calls: dict[int, Call] = {}
        self._changed = threading.Condition()
        self._ending = False
        self.patience = 60.0
        """Seconds without a word of the controller until it is taken for dead."""
        self.gone = False
        """True once nobody reads what we say; the end of what we read follows."""

    def take(self, message: Message) -> None:
        """Do what a message asks for; raise ProtocolError for one that a controller cannot mean."""
        kind, stream, payload = message
        match kind:
            case Kind.CALL:
                self._begin(stream, payload)
            case Kind.CANCEL:
                self._cancel(stream, payload)
            case Kind.CREDIT:
                self._grant(stream, amount_of(payload))
            case Kind.DATA:
                self._take_data(stream, payload)
            case Kind.PING:
                self._workers.run(self._pong)
            case Kind.HELLO:
                self._greet(payload)
            case _:
                raise ProtocolError(f"a controller does not say {kind.name}")

    def inherit(self, benches: Iterable[Configure]) -> None:
        """Take over benches from an agent that was killed."""
        for each in benches:
            self._benches.configure(each)

    def end(self, cause: str) -> None:
        """Cancel every call, obey last orders, close devices, drop locks; takes some seconds at most."""
        calls = tuple(self._calls.values())
        for call in calls:
            self._workers.run(functools.partial(call.stop.tell, cause))
        with self._changed:
            self._ending = True
            self._changed.wait_for(lambda: not self._calls, _CALLS_END_WITHIN)
        self._benches.obey(_OBEY_WITHIN)
        self._benches.close(_CLOSE_WITHIN)
        self._places.close()

    def _greet(self, payload: bytes) -> None:
        hello = from_json(payload)
        if not isinstance(hello, dict) or hello.get("protocol") != PROTOCOL:
            raise ProtocolError(f"expected protocol {PROTOCOL}, got {payload[:80]!r}")
        self.patience = float(hello.get("patience", self.patience))
        self._places.cache = str(hello.get("cache", ""))
        self._places.cache_size = hello.get("cache_size")

    def _begin(self, stream: int, payload: bytes) -> None:
        if stream in self._calls or not 0 < stream < FIRST_CONSOLE:
            raise ProtocolError(f"stream {stream} cannot begin a call")
        request = unpack_request(payload)
        call = self._calls[stream] = Call(stream, self._outbox)
        self._workers.run(functools.partial(self._serve, call, request))

    def _cancel(self, stream: int, payload: bytes) -> None:
        call = self._calls.get(stream)
        cause, timed_out = unpack_cancel(payload)
        if call is not None:
            self._workers.run(functools.partial(call.stop.tell, cause, timed_out=timed_out))

    def _grant(self, stream: int, amount: int) -> None:
        call = self._calls.get(stream)
        if call is not None:
            call.grant(amount)
        elif stream >= FIRST_CONSOLE:
            self._feeds.grant(stream, amount)

    def _take_data(self, stream: int, payload: bytes) -> None:
        """Hand on what is sent for a call; what comes after its end is of no use to anybody."""
        call = self._calls.get(stream)
        if call is not None:
            call.take(payload)

    def _serve(self, call: Call, request: Request) -> None:
        kind, payload = self._answer(call, request)
        call.end()
        del self._calls[call.stream]
        if self._ending:
            with self._changed:
                self._changed.notify_all()
        self._send(functools.partial(self._outbox.tell, kind, call.stream, payload))

    def _answer(self, call: Call, request: Request) -> tuple[Kind, bytes]:
        try:
            return Kind.RESULT, to_json(self._benches.answer(request, call))
        except BaseException as error:  # noqa: BLE001 - whatever a module raises is its answer
            return Kind.ERROR, to_json(ended(error, call.stop))

    def _remark(self, text: str) -> None:
        self._tell(Said(text=text, level="warning"))

    def _tell(self, said: Said | TakenAway | Question) -> None:
        """Tell the controller what belongs to no call."""
        self._send(functools.partial(self._outbox.say, Kind.EVENT, CONNECTION, pack(said)))

    def _pong(self) -> None:
        self._send(functools.partial(self._outbox.say, Kind.PONG, CONNECTION))

    def _send(self, send: Callable[[], None]) -> None:
        try:
            send()
        except OSError:
            self.gone = True


def _rules() -> Rules:
    from runner.agent.policy import Rules

    return Rules(os.environ)
