"""Has the files that a request names on the host before the request is made."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from runner.agent.calls import Advanced, Configure, Heard, Put, Request, Run, Said, Take
from runner.api.codec import FILE, is_file
from runner.api.values import Duration, Size, is_url
from runner.api.verdicts import Cancelled, LabError, RecipeFault, TimedOut
from runner.connect.channel import Channel
from runner.connect.link import Cancel
from runner.connect.source import Files, Source

_WORTH_TELLING = 2**20
_OTHERS = 600.0
_OTHERS_ORIGIN = "the limit of 10m for a file that a device of the bench needs"


class Placing:
    """Copies files to one host; the same content for two benches is sent once."""

    def __init__(self, files: Files, host: str) -> None:
        """Have copied nothing yet; `host` is for people."""
        self._files = files
        self._host = host
        self._changed = threading.Condition()
        self._sending: set[str] = set()

    def placed(
        self, request: Request, channel: Channel, hear: Callable[[Heard], None], cancel: Cancel
    ) -> Request:
        """Return the request with paths of the host; the time that copying took is off its limit."""
        match request:
            case Run():
                began = time.monotonic()
                put = _Asked(channel, hear, cancel, request.bench, request.limit, request.limit_origin)
                arguments = self._all(request.arguments, put)
                if arguments == request.arguments:
                    return request
                left = max(0.001, request.limit - (time.monotonic() - began))
                return dataclasses.replace(request, arguments=arguments, limit=left)
            case Configure():
                return self._configured(request, channel, hear, cancel)
            case Take(configure=Configure() as told):
                return dataclasses.replace(request, configure=self._configured(told, channel, hear, cancel))
            case _:
                return request

    def _configured(
        self, request: Configure, channel: Channel, hear: Callable[[Heard], None], cancel: Cancel
    ) -> Configure:
        put = _Asked(channel, hear, cancel, request.bench, _OTHERS, _OTHERS_ORIGIN)
        devices = {
            name: dataclasses.replace(spec, options=self._all(spec.options, put))
            for name, spec in request.devices.items()
        }
        orders = tuple(
            dataclasses.replace(order, arguments=self._all(order.arguments, put)) for order in request.orders
        )
        return dataclasses.replace(request, devices=devices, orders=orders)

    def _all(self, values: Mapping[str, Any], put: _Asked) -> dict[str, Any]:
        return {name: self._with_paths(value, put) for name, value in values.items()}

    def _with_paths(self, value: Any, put: _Asked) -> Any:
        if is_file(value):
            return value if is_url(value[FILE]) else {FILE: self._put(value[FILE], put)}
        if isinstance(value, dict):
            return {name: self._with_paths(each, put) for name, each in value.items()}
        if isinstance(value, list):
            return [self._with_paths(each, put) for each in value]
        return value

    def _put(self, path: str, put: _Asked) -> str:
        """Return the path on the host of a file of ours, copied if need be."""
        source = self._files.of(path)
        self._begin(source, put.cancel)
        try:
            return put.ask(source, self._host)
        finally:
            with self._changed:
                self._sending.discard(source.sha256)
                self._changed.notify_all()

    def _begin(self, source: Source, cancel: Cancel) -> None:
        """Wait until nobody else sends the same; the agent has it by then. A cancel is told by the call."""
        leave = cancel.watch(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: source.sha256 not in self._sending or cancel.cause is not None)
                self._sending.add(source.sha256)
        finally:
            leave()

    def _wake(self, _cause: str) -> None:
        with self._changed:
            self._changed.notify_all()


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    """On whose behalf files are copied, and how long that may take."""

    channel: Channel
    hear: Callable[[Heard], None]
    cancel: Cancel
    bench: str
    limit: float
    origin: str

    def ask(self, source: Source, host: str) -> str:
        """Have one file on the host; return its path there."""
        request = Put(
            bench=self.bench,
            name=source.name,
            sha256=source.sha256,
            size=source.size,
            stored=source.stored,
            limit=self.limit,
            limit_origin=self.origin,
        )
        sent = _Sent(self.hear)
        try:
            answer = self.channel.call(request, sent.hear, self.cancel, source)
        except TimedOut as error:
            raise LabError(
                f"{source.name} was not on {host} in time, {sent.far} of {Size(source.size)} had been sent: "
                f"{error.message}",
                evidence=error.evidence,
                hint="what has arrived stays while the agent lives, and with 'cache' of the host; give the "
                "step a longer timeout",
            ) from error
        except Cancelled as error:
            if self.cancel.cause is None:  # it was the upload that gave up
                raise RecipeFault(error.message, evidence={"path": source.path}) from error
            raise
        except LabError as error:
            if "damaged" in error.evidence and source.changed:
                raise RecipeFault(
                    f"{source.path} has changed while it was sent",
                    evidence=error.evidence,
                    hint="give a file its name only when it is whole (mv)",
                ) from error
            raise
        sent.tell(source, host)
        return str(answer["path"])


class _Sent:
    """Notes how far an upload is, and tells of it in the end."""

    def __init__(self, hear: Callable[[Heard], None]) -> None:
        self._hear = hear
        self._began = time.monotonic()
        self._done: float | None = None

    @property
    def far(self) -> Size:
        return Size(int(self._done or 0))

    def hear(self, heard: Heard) -> None:
        if isinstance(heard, Advanced):
            self._done = heard.done
        self._hear(heard)

    def tell(self, source: Source, host: str) -> None:
        seconds = Duration(round(time.monotonic() - self._began, 1))
        size = Size(source.size)
        if self._done is None:
            self._hear(Said(text=f"{source.name} ({size}) is on {host} already", level="debug"))
            return
        self._hear(Advanced(done=source.size, total=source.size))
        level = "info" if source.stored >= _WORTH_TELLING else "debug"
        self._hear(Said(text=f"sent {source.name} ({size}) to {host} in {seconds}", level=level))
