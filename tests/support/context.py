"""A context on a clock in the hand of the test, and devices in memory that note what is done to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runner.api import (
    ByteString,
    CanBus,
    Cancelled,
    CanFrame,
    Context,
    Duration,
    Keep,
    Kept,
    LabError,
    Level,
    Power,
    PowerReading,
    PowerState,
    Secret,
    Size,
    Storage,
)
from runner.api.frames import FrameRecord
from runner.console import Console, ConsoleSettings, Entered, Interrupt, LoggedIn, Match, Ran, Stream
from runner.console.keyboard import Meanwhile
from runner.console.pattern import Patterns


class StepContext(Context):
    """Notes what a module says; `sleep` takes no time, and calls what the test has put there for it."""

    bench = "bench"

    def __init__(self, **devices: str) -> None:
        self.devices: Mapping[str, str] = devices
        self.said: list[tuple[str, str]] = []
        self.shown: list[tuple[float, float | None]] = []
        self.measured: dict[str, tuple[float, str]] = {}
        self.artifacts: dict[str, bytes] = {}
        self.slept: list[float] = []
        self.while_asleep: Callable[[float], None] = lambda _seconds: None
        self.cancel_at_check: int | None = None
        self._checks = 0

    def log(self, text: str, level: Level = "info") -> None:
        self.said.append((level, text))

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        del unit
        self.shown.append((done, total))

    def measure(self, name: str, value: float, unit: str = "") -> None:
        self.measured[name] = (value, unit)

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        content = data if isinstance(data, bytes) else data.read_bytes()
        self.artifacts[str(keep.to) if keep else name] = content
        return Kept(len(content), hashlib.sha256(content).hexdigest())

    @property
    def left(self) -> Duration:
        return Duration(3600 - sum(self.slept))

    @property
    def cancelled(self) -> bool:
        return self.cancel_at_check is not None and self._checks >= self.cancel_at_check

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        del wake
        return lambda: None

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled("the test has cancelled")
        self._checks += 1

    def sleep(self, seconds: float) -> None:
        self.check_cancelled()
        self.slept.append(seconds)
        self.while_asleep(seconds)


@dataclass(eq=False)
class Switch(Power):
    """A supply; `lags` is how many times it still reads the old state after it was switched."""

    now: PowerState = "off"
    readable: bool = True
    stuck: bool = False
    lags: int = 0
    fails: Exception | None = None
    readings: list[PowerReading] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    _late: int = 0
    _old: PowerState = "off"

    def on(self) -> None:
        self._switch("on")

    def off(self) -> None:
        self._switch("off")

    def state(self) -> PowerState | None:
        if not self.readable:
            return None
        if self._late:
            self._late -= 1
            return self._old
        return self.now

    def read(self) -> PowerReading | None:
        return self.readings.pop(0) if self.readings else None

    def _switch(self, wanted: PowerState) -> None:
        self.calls.append(wanted)
        if self.fails is not None:
            raise self.fails
        if not self.stuck:
            self._old, self._late, self.now = self.now, self.lags, wanted


class Memory(Storage):
    """A medium in memory; `worn` bytes cannot be written."""

    def __init__(
        self, size: int | None = None, *, worn: tuple[int, ...] = (), targets: tuple[str, ...] = ()
    ) -> None:
        self.content = bytearray(size or 0)
        self.calls: list[str] = []
        self._size = size
        self._worn = worn
        self._targets = targets

    def size(self) -> Size | None:
        return None if self._size is None else Size(self._size)

    def write(self, offset: int, data: bytes) -> None:
        self.calls.append("write")
        if self._size is not None and offset + len(data) > self._size:
            raise LabError("the medium is full")
        self.content.extend(bytes(max(0, offset + len(data) - len(self.content))))
        kept = {at: self.content[at] for at in self._worn}
        self.content[offset : offset + len(data)] = data
        for at, byte in kept.items():
            self.content[at] = byte

    def read(self, offset: int, length: int) -> bytes:
        self.calls.append("read")
        return bytes(self.content[offset : offset + length])

    def flush(self) -> None:
        self.calls.append("flush")

    def begin(self, target: str) -> None:
        if target and target not in self._targets:
            raise ValueError(f"Memory has no target {target!r}")
        self.calls.append(f"begin {target}".strip())

    def end(self) -> None:
        self.calls.append("end")


class Bus(CanBus):
    """A bus on which the test is the other node: `answers` maps what we send to what comes back."""

    def __init__(self, answers: Mapping[int, list[CanFrame]] | None = None) -> None:
        self.sent: list[CanFrame] = []
        self._answers = answers or {}
        self._record = FrameRecord("test bus")

    def receive(self, identifier: int, data: str = "", **more: object) -> int:
        return self._record.add(CanFrame(identifier, ByteString(data), **more))

    def send(self, frame: CanFrame, timeout: Duration) -> int:
        del timeout
        self.sent.append(frame)
        number = self._record.add(CanFrame(frame.id, frame.data, sent=True))
        for answer in self._answers.get(frame.id, ()):
            self._record.add(answer)
        return number

    def latest(self) -> int:
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        del timeout
        return self._record.next(after, 0.0, context)

    def info(self) -> Mapping[str, object]:
        return {}


class Terminal(Console):
    """A console that does nothing but note what is asked of it; results are put there by the test."""

    gone = ""

    def __init__(self, name: str = "console") -> None:
        self.name = name
        self.settings = ConsoleSettings()
        self.calls: list[tuple[object, ...]] = []
        self.ran: list[Ran] = []
        self.environment: dict[str, str] = {}
        self.refuses: set[str] = set()
        self.bytes = 0

    def connect(self) -> Stream:
        raise AssertionError("nobody opens this port")

    def position(self) -> int:
        return self.bytes

    def power_mark(self) -> None:
        self.calls.append(("power_mark",))

    def mark(self, name: str) -> int:
        self.calls.append(("mark", name))
        return self.bytes

    def send(self, data: bytes, context: Context, *, char_delay: Duration | None = None) -> None:
        del context
        self.calls.append(("send", data) if char_delay is None else ("send", data, char_delay))

    def remark(self, text: str) -> None:
        self.calls.append(("remark", text))

    def release(self) -> bool:
        self.calls.append(("release",))
        return len(self.calls) == 1

    def expect(self, patterns: Patterns, context: Context, **options: object) -> Match:
        del context
        self.calls.append(("expect", patterns, options))
        return Match(name="", text="", named={}, before="", offset=0, elapsed=Duration(0))

    def run(
        self,
        command: str,
        context: Context,
        *,
        timeout: Duration,
        meanwhile: Meanwhile | None = None,
    ) -> Ran:
        del context, meanwhile
        self.calls.append(("run", command, timeout))
        return self.ran.pop(0)

    def run_uboot(
        self,
        command: str,
        context: Context,
        *,
        timeout: Duration,
        meanwhile: Meanwhile | None = None,
    ) -> Ran:
        return self.run(command, context, timeout=timeout, meanwhile=meanwhile)

    def login(
        self, context: Context, *, user: str, password: Secret | str | None = None, within: Duration
    ) -> LoggedIn:
        del context
        self.calls.append(("login", user, password, within))
        return LoggedIn(already=False, elapsed=Duration(1))

    def interrupt(self, context: Context, *, within: Duration) -> Literal["shell", "uboot", "login"]:
        del context
        self.calls.append(("interrupt", within))
        return "shell"

    def enter_uboot(
        self, context: Context, *, within: Duration, interrupt_by: Interrupt | None = None
    ) -> Entered:
        del context
        self.calls.append(("enter_uboot", within, interrupt_by))
        return Entered(
            version="U-Boot 2023.01",
            hush=True,
            elapsed=Duration(1),
        )

    def get_env(self, name: str, context: Context, *, timeout: Duration) -> str | None:
        del context, timeout
        return self.environment.get(name)

    def set_env(self, name: str, value: str | None, context: Context, *, timeout: Duration) -> None:
        del context, timeout
        self.calls.append(("set_env", name, value))
        if name in self.refuses:
            return
        if value:
            self.environment[name] = value
        else:
            self.environment.pop(name, None)


def ran(output: str = "", status: int | None = 0) -> Ran:
    return Ran(output=output, status=status, elapsed=Duration(0))
