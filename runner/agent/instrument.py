"""One device of a bench while it is open: its driver, the driver's children, and their consoles."""

from __future__ import annotations

import contextlib
import threading
import typing
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.agent.calls import DeviceSpec, WatchSpec
from runner.agent.classes import class_at
from runner.agent.consoles import Feed
from runner.agent.context import AgentContext
from runner.agent.stop import Stop
from runner.api.codec import decode, encode, hints
from runner.api.context import Kept
from runner.api.module import Driver
from runner.api.verdicts import LabError, RecipeFault

if TYPE_CHECKING:
    from runner.api.person import Person
    from runner.console import Console
    from runner.console.alarm import Alarm, Watching

_SETTLE = 2.0
_TYPING_LIMIT = 60.0
"""Seconds that what somebody attached has typed at once may take, at the console's pace."""


def decoded(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Rebuild typed arguments by the fields of a class; raise RecipeFault for one that it does not have."""
    fields = hints(cls)
    unknown = [name for name in values if name not in fields]
    if unknown:
        raise RecipeFault(f"{cls.__name__} has no argument {unknown[0]!r}")
    return {name: decode(fields[name], value) for name, value in values.items()}


def driver_of(spec: DeviceSpec, devices: Mapping[str, object] | None = None) -> Driver:
    """Make the driver of a device, not opened; without `devices` it has none to work through."""
    cls = class_at(spec.path)
    given = dict.fromkeys(spec.devices) if devices is None else devices
    driver = cls(**decoded(cls, spec.options), **given)
    if not isinstance(driver, Driver):
        raise LabError(f"{spec.path} is not a driver")
    return driver


def children_of(cls: type) -> Iterator[str]:
    """Return the names of the methods that are marked as children."""
    for name in dir(cls):
        if getattr(getattr(cls, name, None), "__runner_child__", False):
            yield name


def listens(cls: type) -> bool:
    """Tell whether a driver, or a child of it, is to be heard from the first step on: a console, a bus."""
    kinds = (typing.get_type_hints(getattr(cls, name)).get("return") for name in children_of(cls))
    return any(getattr(kind, "listens", False) is True for kind in (cls, *kinds))


class Instrument:
    """An open device; its consoles are read from the start to the end."""

    def __init__(
        self,
        path: str,
        spec: DeviceSpec,
        begin: Callable[[str], Feed],
        watch: WatchSpec | None = None,
        seed: int | None = None,
        devices: Mapping[str, object] | None = None,
        person: Person | None = None,
        needed: Collection[str] = (),
    ) -> None:
        """Open it: the driver first, then its children, then their consoles, watched for `watch`.

        `devices` are the open ones that it works through; `person` is who it may ask for help.
        A console that is a part and cannot be opened is `late`, unless it is `needed`.
        """
        self.path = path
        self._watch = watch
        self._seed = seed
        cls = class_at(spec.path)
        driver = driver_of(spec, devices)
        self._driver = driver
        self._feeds: dict[str, Feed] = {}
        self.consoles: dict[str, Console] = {}
        """The driver and its parts that are consoles, by their paths."""
        self.late: dict[str, LabError] = {}
        """The parts that are consoles and could not be opened yet, and why."""
        self._starting = threading.Lock()
        self._begin = begin
        self._closing = contextlib.ExitStack()
        if person is not None:
            driver.meet(person)
        driver.open()
        self._closing.callback(driver.close)
        try:
            self._children = {name: getattr(driver, name)() for name in children_of(cls)}
            self._start(path, driver)
            for name in self._children:
                self._start_part(name, needed)
        except BaseException:
            self._closing.close()
            raise

    def part(self, rest: str) -> object:
        """Return the driver, or the child of that name; raise RecipeFault when there is none.

        A console that could not be opened yet is tried again; raise the driver's LabError.
        """
        if not rest:
            return self._driver
        if rest not in self._children:
            has = f"it has {', '.join(self._children)}" if self._children else "it has no parts"
            raise RecipeFault(f"device {self.path!r} has no part {rest!r}", hint=has)
        if rest in self.late:
            self._start_late(rest)
        return self._children[rest]

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feed of each open console, by the console's path."""
        return {path: self._feeds[path] for path in self.consoles}

    def stages_reached(self) -> dict[str, list[tuple[str, float]]]:
        """Return what each console's board was seen to reach since the last call: name and seconds."""
        return {path: console.stages_reached() for path, console in self.consoles.items()}

    def close(self) -> None:
        """Stop the consoles, then close the driver; raises the first error after trying all."""
        self._closing.close()

    def artifacts(self) -> Mapping[str, Path]:
        """Return the files that the driver has written for the run's artifacts, once it is closed."""
        return self._driver.artifacts()

    def _start_part(self, name: str, needed: Collection[str]) -> None:
        try:
            self._start(f"{self.path}.{name}", self._children[name])
        except LabError as error:
            if name in needed:
                raise
            self.late[name] = error

    def _start_late(self, name: str) -> None:
        with self._starting:
            if name in self.late:  # nobody else has been faster
                self._start(f"{self.path}.{name}", self._children[name])
                del self.late[name]

    def _start(self, path: str, part: object) -> None:
        from runner.console import Console

        if not isinstance(part, Console):
            return
        seed = seed_of(self._seed, path)
        feed = self._feeds.get(path)
        if feed is None:
            feed = self._feeds[path] = self._begin(path)
            self._closing.callback(feed.close, _SETTLE)
            feed.listening(encode(part.settings), seed)
        watching = watching_for(self._watch, feed.tell)
        part.start(feed.record, path, seed=seed, watching=watching, typed=feed.typed)
        self._closing.callback(part.stop)
        self.consoles = {**self.consoles, path: part}
        feed.take_input(lambda data: part.send(data, typist()))


def seed_of(seed: int | None, path: str) -> int | None:
    """Return the seed of one console of a bench: each has names of its own."""
    return None if seed is None else seed ^ zlib.crc32(path.encode())


def watching_for(watch: WatchSpec | None, tell: Callable[[Alarm], None]) -> Watching | None:
    """Return what a console is watched for, and who is told; None for nothing."""
    from runner.console.alarm import Watching
    from runner.console.pattern import regex

    if watch is None:
        return None
    added = tuple(regex(text, name) for name, text in watch.added.items())
    return Watching(tell, frozenset(watch.allow), added)


def typist() -> AgentContext:
    """Return the context of typing that belongs to no call."""
    return AgentContext(
        bench="",
        devices={},
        limit=_TYPING_LIMIT,
        stop=Stop(),
        hear=lambda _heard: None,
        save=lambda _name, _data, _keep: Kept(0, ""),
    )
