"""A link to what happened: modules run in this process, on what a recording says.

Modules that use only consoles and power switches run again, on the recorded bytes. Others are
answered as they were, when they are asked in the same words.
"""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.agent.calls import (
    Advanced,
    Alarm,
    Configure,
    ConsoleBytes,
    Ended,
    Heard,
    Noted,
    Opened,
    Release,
    Request,
    Run,
    Said,
    Take,
    Waiting,
)
from runner.agent.classes import class_at
from runner.agent.context import AgentContext
from runner.agent.endings import ended
from runner.agent.forwarding import Forward
from runner.agent.instrument import decoded, watching_for
from runner.agent.limits import time_is_over
from runner.agent.messages import from_json, to_json
from runner.agent.paths import resolved
from runner.agent.stop import Stop
from runner.agent.wording import unpack_ended
from runner.api.codec import decode, encode, hints
from runner.api.context import Keep, Kept
from runner.api.interfaces import Power
from runner.api.values import Duration
from runner.api.verdicts import LabError
from runner.connect.ending import exception_of
from runner.connect.link import Cancel
from runner.connect.recorded import Called, Listened, Recorded, differences
from runner.connect.replayed_power import ReplayedPower
from runner.connect.timeline import Timeline, TimelineSource
from runner.console import Console, ConsoleSettings
from runner.console.stream import Chunk, Stream

_DECIDED_WITHIN = 8.0
"""Seconds in which a watch decides whether what it has seen counts."""


class ReplayedConsole(Console):
    """A console that says what it said."""

    def __init__(self, settings: ConsoleSettings) -> None:
        """Take the settings it had."""
        self.settings = settings

    def connect(self) -> Stream:
        """Open nothing."""
        raise LabError("a replay opens no port")


class ReplayContext(AgentContext):
    """The context of a module whose time is a recording's."""

    def __init__(self, timeline: Timeline, stop: Stop, **rest: Any) -> None:
        """Serve one call."""
        super().__init__(stop=stop, clock=lambda: timeline.now, **rest)
        self._timeline = timeline

    def sleep(self, seconds: float) -> None:
        """Let time pass; a cancel or the limit ends it early."""
        until = self._timeline.now + seconds
        self.check_cancelled()
        while self._timeline.now < until:
            self._timeline.pass_until(until)
            self.check_cancelled()


class _Limits:
    """The limits in time of one call, on the clock of the replay."""

    def __init__(self, request: Run, stop: Stop, timeline: Timeline, last_byte: Callable[[], float]) -> None:
        self._request = request
        self._stop = stop
        self._timeline = timeline
        self._last_byte = last_byte
        self._began = timeline.now

    def check(self) -> float:
        """Stop the call when its time is over; return when that is."""
        request, now = self._request, self._timeline.now
        hard = self._began + request.limit
        idle = None if request.idle is None else max(self._began, self._last_byte()) + request.idle
        if now >= hard:
            self._stop.tell(time_is_over(request), timed_out=True)
        elif idle is not None and now >= idle:
            cause = f"no console byte for {Duration(request.idle or 0)}: the step's idle_timeout"
            self._stop.tell(cause, timed_out=True)
        return hard if idle is None else min(hard, idle)


class ReplayLink:
    """Answers for the agent of one recorded bench."""

    def __init__(
        self,
        recorded: Recorded,
        bench: str,
        timeline: Timeline,
        console: Callable[[ConsoleBytes], None],
        heard: Callable[[Heard], None],
        hide: Callable[[bytes], bytes],
    ) -> None:
        """Replay a bench; `hide` masks what is typed as it was masked when it was recorded."""
        self.lost = ""
        self._calls = recorded.calls.get(bench, ())
        self._place = 0
        self._bench = bench
        self._timeline = timeline
        self._console = console
        self._heard = heard
        self._hide = hide
        self._consoles: dict[str, ReplayedConsole] = {}
        self._configure: Configure | None = None
        self._undecided: set[tuple[str, int]] = set()
        self._last_byte = -1.0

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Answer one request as `runner.connect.link.Link` does, from the recording."""
        match request:
            case Run():
                return self._run(request, hear, cancel)
            case Configure():
                self._configure = request
            case Take():
                return self._taken(request, hear)
            case Release():
                self._release()
            case Forward():
                return self._forwarded(request, hear)
            case _:
                pass  # a replay puts no bench into quarantine, and finds none there
        return None

    def close(self) -> None:
        """Let go of the consoles."""
        self._release()

    def _taken(self, request: Take, hear: Callable[[Heard], None]) -> Any:
        self._configure = request.configure or self._configure
        found = self._like(request, {})
        return {"taken": not request.shared} if found is None else self._answered(found, hear)

    def _forwarded(self, request: Forward, hear: Callable[[Heard], None]) -> Any:
        """Say where it listened; nobody does now."""
        asked = {"to": request.to, "listen": request.listen, "reverse": request.reverse}
        found = self._like(request, {"arguments": asked})
        if found is None:
            raise self._refuse(f"the recording has no answer for another forward to {request.to}")
        return self._answered(found, hear)

    def _release(self) -> None:
        for name in self._consoles:
            self._timeline.listening.pop(name, None)
        self._consoles = {}

    def _run(self, request: Run, hear: Callable[[Heard], None], cancel: Cancel) -> Any:
        if self._timeline.diverged:
            raise LabError(self._timeline.diverged, hint="an earlier step left the recording")
        found = self._like(request, from_json(to_json(vars(request))))
        if found is not None:
            self._timeline.reach(found.began)
        devices = self._stand_ins(request)
        if devices is None:
            return self._asked_again(request, found, hear)
        for said in found.heard if found is not None else ():
            if "Opened" in said:
                hear(_heard_of(said))
        stop = Stop()
        leave = cancel.watch(lambda cause: _tell(stop, cause))
        limits = _Limits(request, stop, self._timeline, lambda: self._last_byte)
        self._timeline.limit = limits.check
        try:
            return self._run_again(request, devices, hear, stop)
        finally:
            self._timeline.limit = lambda: None
            leave()
            self._decide()

    def _run_again(
        self, request: Run, devices: Mapping[str, Any], hear: Callable[[Heard], None], stop: Stop
    ) -> Any:
        cls = class_at(request.path)
        named = {slot: path for slot, path in request.devices.items() if isinstance(path, str)}

        def save(name: str, data: bytes | Path, _keep: Keep | None) -> Kept:
            content = data.read_bytes() if isinstance(data, Path) else data
            hear(_saved(name, len(content)))
            return Kept(len(content), hashlib.sha256(content).hexdigest())

        try:
            context = ReplayContext(
                self._timeline,
                stop,
                bench=request.bench,
                devices=named,
                limit=request.limit,
                hear=hear,
                save=save,
            )
            context.check_cancelled()
            if getattr(cls, "takes_power", False) and not request.predict:
                for console in self._consoles.values():
                    console.power_lost()
            arguments = decoded(cls, from_json(to_json(request.arguments)))
            module = cls(**arguments, **devices)
            result = module.predict(context) if request.predict else encode(module.run(context))
            context.finish()
            if stop.timed_out:
                late = stop.verdict()
                late.result = result
                raise late
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            if self._timeline.diverged:
                raise LabError(
                    self._timeline.diverged,
                    hint="the recording can only answer what was asked of the board that day",
                ) from error
            raise exception_of(unpack_ended(to_json(ended(error, stop)))) from error
        return from_json(to_json(result))

    def _decide(self) -> None:
        """Let time pass until it is known whether what a watch has seen counts."""
        until = self._timeline.now + _DECIDED_WITHIN
        while self._undecided and self._timeline.now < until:
            self._timeline.pass_until(until)

    def _stand_ins(self, request: Run) -> dict[str, Any] | None:
        """Return what stands for the devices of a module; None when the recording has no such thing."""
        kinds = hints(class_at(request.path))
        found: dict[str, Any] = {}
        if any(request.devices.values()) and not self._consoles:
            self._listen()
        for slot, value in request.devices.items():
            paths = () if value is None else (value,) if isinstance(value, str) else tuple(value)
            parts = [self._stand_in(kinds[slot], path) for path in paths]
            if any(part is None for part in parts):
                return None
            found[slot] = parts[0] if isinstance(value, str) else None if value is None else tuple(parts)
        return found if any(found.values()) else None

    def _stand_in(self, kind: Any, path: str) -> object | None:
        aliases = {} if self._configure is None else self._configure.aliases
        device = resolved(path, aliases)
        kinds = {kind, *typing.get_args(kind)}
        if Console in kinds:
            return self._consoles.get(device)
        return ReplayedPower(self._timeline, device) if Power in kinds else None

    def _listen(self) -> None:
        for entry in self._timeline.listen_again():
            self._consoles[entry.device] = self._started(entry)

    def _started(self, entry: Listened) -> ReplayedConsole:
        console = ReplayedConsole(decode(ConsoleSettings, entry.settings))
        device = entry.device

        def record(chunk: Chunk) -> None:
            self._last_byte = chunk.monotonic_ns / 1e9 if chunk.data else self._last_byte
            self._console(
                ConsoleBytes(
                    bench=self._bench,
                    device=device,
                    index=chunk.index,
                    monotonic_ns=chunk.monotonic_ns,
                    wall_ns=chunk.wall_ns,
                    data=chunk.data,
                    gap=chunk.gap,
                )
            )

        def alarmed(alarm: Any) -> None:
            told = Alarm(bench=self._bench, device=device, **vars(alarm))
            (self._undecided.add if told.state == "seen" else self._undecided.discard)((device, told.number))
            self._heard(told)

        watch = None if self._configure is None else self._configure.watch
        console.start(
            record,
            device,
            source=TimelineSource(self._timeline, device),
            seed=entry.seed,
            watching=watching_for(watch, alarmed),
            typed=lambda data: self._timeline.typed(device, self._hide(data)),
        )
        return console

    def _like(self, request: Run | Take | Forward, asked: Mapping[str, Any]) -> Called | None:
        """Return the next recorded call like this one, in the same words if there is one; go behind it."""
        kind = type(request).__name__
        left = [(place, each) for place, each in enumerate(self._calls[self._place :], self._place)]
        alike = [(place, each) for place, each in left if each.kind == kind]
        if isinstance(request, Run):
            alike = [found for found in alike if found[1].request["path"] == request.path]
        same = [found for found in alike if not differences(found[1].request, asked)]
        chosen = (same or alike)[:1]
        for place, called in chosen:
            self._place = place + 1
            return called
        return None

    def _asked_again(self, request: Run, found: Called | None, hear: Callable[[Heard], None]) -> Any:
        verb = request.path.rpartition(":")[2]
        if found is None:
            raise self._refuse(f"the recording has no answer for another {verb}")
        others = differences(found.request, from_json(to_json(vars(request))))
        if others:
            raise self._refuse(f"{verb} was asked with other arguments: {'; '.join(others)}")
        return self._answered(found, hear)

    def _answered(self, found: Called, hear: Callable[[Heard], None]) -> Any:
        for said in found.heard:
            hear(_heard_of(said))
        self._timeline.reach(found.ended)
        if found.error is not None:
            raise exception_of(Ended(**found.error))
        return found.answer

    def _refuse(self, why: str) -> LabError:
        self._timeline.diverged = f"the replay leaves the recording here: {why}"
        return LabError(
            self._timeline.diverged, hint="what needs more than consoles and power is answered as it was"
        )


_KINDS: Sequence[type] = (Said, Advanced, Noted, Opened, Waiting)


def _heard_of(said: Mapping[str, Any]) -> Heard:
    """Return what was heard, as it was; of a file only its name and size are known."""
    ((name, fields),) = said.items()
    if name == "Saved":
        return _saved(fields["name"], fields["size"])
    kind = next(each for each in _KINDS if each.__name__ == name)
    heard: Heard = kind(**fields)
    return heard


def _saved(name: str, size: int) -> Said:
    return Said(text=f"the artifact {name!r} of {size} bytes is in the folder of the recorded run")


def _tell(stop: Stop, cause: str) -> None:
    stop.tell(cause)
