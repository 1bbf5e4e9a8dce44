"""The devices of a bench: found by path, opened when first needed, closed in reverse order."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.agent.calls import Configure, Heard, Opened, Said
from runner.agent.classes import class_at
from runner.agent.consoles import BeginFeed, Feed
from runner.agent.instrument import Instrument, listens
from runner.agent.paths import paths_in, resolved
from runner.agent.stop import Stop
from runner.api.verdicts import Cancelled, RecipeFault

if TYPE_CHECKING:
    from runner.agent.policy import Policy
    from runner.api.person import Person

FetchFiles = Callable[[Mapping[str, Any], Callable[[Heard], None], Stop], Mapping[str, Any]]


class Bench:
    """A configured bench. Several calls may use it at once; each device is opened by one of them."""

    def __init__(
        self,
        configure: Configure,
        begin: BeginFeed,
        fetched: FetchFiles = lambda values, _hear, _stop: values,
        policies: Sequence[Policy] = (),
        person: Callable[[str, str], Person] | None = None,
    ) -> None:
        """Know its devices; open none. `fetched` makes paths of the URLs in a device's options.

        `policies` are asked before a module runs. `person` gives who a device of a bench may ask.
        """
        self._fetched = fetched
        self.configure = configure
        self.policies = policies
        self._person = person
        self._begin = begin
        self._changed = threading.Condition()
        self._open: dict[str, Instrument] = {}
        self._opening: set[str] = set()
        self._listening = False
        self._closed = False

    def devices(
        self,
        slots: Mapping[str, Any],
        hear: Callable[[Heard], None],
        stop: Stop,
        spare: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return what each slot of a module gets; opens what is not open, what listens first.

        The slots that are `spare` get what is open, and have to be of several devices.
        """
        if not self._listening:
            needed = {slot: value for slot, value in slots.items() if slot not in spare}
            self._open_listeners({self._path(each) for each in paths_in(needed)}, hear, stop)
        found: dict[str, Any] = {}
        for slot, value in slots.items():
            if slot in spare:
                found[slot] = tuple(part for each in value for part in self._opened(each))
            elif value is None or isinstance(value, str):
                found[slot] = None if value is None else self._part(value, hear, stop)
            else:
                found[slot] = tuple(self._part(each, hear, stop) for each in value)
        return found

    def paths(self, slots: Mapping[str, Any]) -> dict[str, Any]:
        """Return the paths in the slots of a module, with aliases followed."""
        return {
            slot: None
            if value is None
            else self._path(value)
            if isinstance(value, str)
            else tuple(self._path(each) for each in value)
            for slot, value in slots.items()
        }

    def feeds(self, slots: Mapping[str, Any]) -> list[Feed]:
        """Return the feeds of the consoles in the slots; of all open ones when there is none."""
        with self._changed:
            every = {path: feed for each in self._open.values() for path, feed in each.feeds.items()}
        used = {self._path(path) for path in paths_in(slots)}
        return [feed for path, feed in every.items() if path in used] or list(every.values())

    def stages_reached(self) -> list[tuple[str, float]]:
        """Return what the board was seen to reach since the last call; of several consoles, with which."""
        with self._changed:
            instruments = list(self._open.values())
        told = {path: news for each in instruments for path, news in each.stages_reached().items()}
        return [
            (name if len(told) == 1 else f"{path}.{name}", seconds)
            for path, news in told.items()
            for name, seconds in news
        ]

    def power_lost(self) -> None:
        """Tell every open console that the board's power is about to be taken away."""
        for instrument in tuple(self._open.values()):
            for console in instrument.consoles.values():
                console.power_lost()

    def settle(self, seconds: float) -> None:
        """Wait until what the consoles have received so far is sent, or the time is over."""
        until = time.monotonic() + seconds
        for instrument in tuple(self._open.values()):
            for feed in instrument.feeds.values():
                feed.settle(until - time.monotonic())

    def close(self, save: Callable[[str, Path], object] = lambda _name, _path: None) -> list[Exception]:
        """Close every device, the last opened first; return what went wrong.

        `save` gets each file that a driver has written, which is removed then.
        """
        with self._changed:
            self._closed = True
            instruments = list(self._open.values())
            self._open.clear()
        problems: list[Exception] = []
        for instrument in reversed(instruments):
            for end in (instrument.close, functools.partial(_hand_over, instrument, save)):
                try:
                    end()
                except Exception as error:  # noqa: BLE001 - the others have to be closed all the same
                    problems.append(error)
        return problems

    def _path(self, path: str) -> str:
        return resolved(path, self.configure.aliases)

    def _part(self, path: str, hear: Callable[[Heard], None], stop: Stop) -> object:
        name, _, rest = self._path(path).partition(".")
        return self._instrument(name, hear, stop, {rest}).part(rest)

    def _opened(self, path: str) -> Iterator[object]:
        name, _, rest = self._path(path).partition(".")
        found = self._open.get(name)
        if found is not None and rest not in found.late:
            yield found.part(rest)

    def _instrument(
        self, name: str, hear: Callable[[Heard], None], stop: Stop, needed: Collection[str]
    ) -> Instrument:
        found = self._open.get(name)
        if found is not None:
            return found
        with self._one_at_a_time(name, stop):
            if name not in self._open:
                self._open_now(name, hear, stop, needed)
            return self._open[name]

    def _open_now(
        self, name: str, hear: Callable[[Heard], None], stop: Stop, needed: Collection[str]
    ) -> None:
        bench = self.configure.bench
        spec = self.configure.devices.get(name)
        if spec is None:
            raise RecipeFault(f"bench {bench!r} has no device {name!r}")
        began = time.monotonic()
        begin = functools.partial(self._begin, bench)
        spec = dataclasses.replace(spec, options=self._fetched(spec.options, hear, stop))
        devices = {
            slot: None if path is None else self._part(path, hear, stop)
            for slot, path in spec.devices.items()
        }
        person = None if self._person is None else self._person(bench, name)
        watch, seed = self.configure.watch, self.configure.seed
        instrument = Instrument(name, spec, begin, watch, seed, devices, person, needed)
        with self._changed:
            closed = self._closed
            if not closed:
                self._open[name] = instrument
        if closed:
            instrument.close()
            _hand_over(instrument, lambda _name, _path: None)
            raise Cancelled(f"bench {bench!r} was released")
        hear(Opened(bench=bench, device=name, driver=spec.driver, seconds=time.monotonic() - began))
        for part, error in instrument.late.items():
            hear(Said(text=f"{name}.{part} is not listened to: {error}", level="warning"))

    def _open_listeners(self, needed: set[str], hear: Callable[[Heard], None], stop: Stop) -> None:
        """Open every device that has a console or bus; only the paths that this step needs must succeed."""
        if not needed:
            return
        with self._one_at_a_time("*", stop):
            if self._listening:
                return
            parts: dict[str, set[str]] = {}
            for each in needed:
                device, _, part = each.partition(".")
                parts.setdefault(device, set()).add(part)
            for name, spec in self.configure.devices.items():
                try:
                    if listens(class_at(spec.path)):
                        self._instrument(name, hear, stop, parts.get(name, ()))
                except Exception as error:
                    if name in parts or stop.cause is not None:
                        raise
                    hear(Said(text=f"{name} is not listened to: {error}", level="warning"))
            self._listening = True

    @contextlib.contextmanager
    def _one_at_a_time(self, name: str, stop: Stop) -> Iterator[None]:
        """Hold the right to open `name`; raise the verdict of `stop` when that comes first."""
        with self._changed:
            leave = stop.watch(self._wake)
            try:
                self._changed.wait_for(lambda: name not in self._opening or stop.cause is not None)
            finally:
                leave()
            if stop.cause is not None:
                raise stop.verdict()
            self._opening.add(name)
        try:
            yield
        finally:
            with self._changed:
                self._opening.discard(name)
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _hand_over(instrument: Instrument, save: Callable[[str, Path], object]) -> None:
    """Give away the files that a driver has written, and remove them."""
    files = instrument.artifacts()
    try:
        for name, path in files.items():
            save(f"{instrument.path}{name}", path)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
