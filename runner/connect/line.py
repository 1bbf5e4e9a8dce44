"""A person's or a script's line to a console: of a bench that is ours, or of one that somebody holds."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from runner.agent.attach import Greeting, greeting, socket_pattern, typed, words
from runner.agent.calls import ConsoleBytes, Heard, Run
from runner.agent.consoles import unpack_chunk
from runner.agent.frames import LARGEST_PAYLOAD, Frame, FrameReader, Kind, ProtocolError
from runner.agent.offer import short
from runner.api.codec import encode
from runner.api.verdicts import LabError
from runner.connect.link import Cancel, Link

Power = Literal["on", "off", "cycle"]
_WRITE = "runner.console.write:WriteConsole"
_POWER = {
    "on": "runner.modules.power.power_on:PowerOn",
    "off": "runner.modules.power.power_off:PowerOff",
    "cycle": "runner.modules.power.power_cycle:PowerCycle",
}
CLASSES = frozenset({_WRITE, *_POWER.values()})
"""What an agent needs for a line of one's own, besides the drivers of the bench."""
_LIMIT = 60.0
"""Seconds that typing or switching may take."""
_ANSWERS_WITHIN = 10.0
_READ = 64 * 1024


class Line(Protocol):
    """What can be done to a console; what it says is heard elsewhere."""

    @property
    def writable(self) -> bool:
        """Whether something may be typed."""

    def type(self, data: bytes) -> None:
        """Type bytes as they are; raise LabError when the console is gone."""

    def power(self, how: Power) -> None:
        """Switch the board's power; raise LabError when that is impossible."""

    def close(self) -> None:
        """Let go of the console."""


class OwnLine:
    """The console of a bench that this session has taken."""

    writable = True

    def __init__(self, link: Link, bench: str, console: str, power: str, cancel: Cancel) -> None:
        """Use a link that knows the bench; `power` is empty when the bench has none, or several."""
        self._link = link
        self._bench = bench
        self._console = console
        self._power = power
        self._cancel = cancel

    def type(self, data: bytes) -> None:
        """Type bytes as they are; the first time this opens the console."""
        self._run(_WRITE, {"console": self._console}, data=encode(data))

    def power(self, how: Power) -> None:
        """Switch the board's power."""
        if not self._power:
            raise LabError(f"bench {self._bench!r} has no single power supply to switch")
        consoles = {"consoles": [self._console]} if how == "cycle" else {}
        self._run(_POWER[how], {"power": self._power, **consoles})

    def close(self) -> None:
        """End the agent: the devices are closed, the lock is dropped."""
        self._link.close()

    def _run(self, path: str, devices: Mapping[str, object], **arguments: object) -> None:
        origin = f"the limit of {_LIMIT:g}s for each thing done in a console session"
        request = Run(self._bench, path, arguments, devices, _LIMIT, origin)
        self._link.call(request, _unheard, cancel=self._cancel)


class AttachedLine:
    """The console of a bench that another process of this user holds."""

    def __init__(
        self,
        connection: socket.socket,
        console: Callable[[ConsoleBytes], None],
        *,
        steal: bool,
        remark: Callable[[str], None],
        over: Callable[[str], None],
        named: tuple[str, str],
    ) -> None:
        """Greet the agent; `begin` listens. `over` gets the reason when the line ends by itself."""
        self.writable = steal
        self._connection = connection
        self._console = console
        self._remark = remark
        self._over = over
        self._named = named
        self._frames = FrameReader()
        self._closing = False
        connection.settimeout(_ANSWERS_WITHIN)
        self._pending = self._greet(steal=steal)
        connection.settimeout(None)
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Listen from now on."""
        self._thread = threading.Thread(target=self._listen, name="attached console", daemon=True)
        self._thread.start()

    def type(self, data: bytes) -> None:
        """Type bytes as they are; they are refused unless the input was taken."""
        try:
            for start in range(0, len(data), LARGEST_PAYLOAD):
                self._connection.sendall(typed(data[start : start + LARGEST_PAYLOAD]))
        except OSError as error:
            raise LabError(f"the console cannot be typed on any more: {error.strerror}") from error

    def power(self, how: Power) -> None:
        """Refuse it: the power belongs to the run that holds the bench."""
        raise LabError(f"power {how}: the bench is held by somebody else, and so is its power")

    def close(self) -> None:
        """Leave."""
        self._closing = True
        with contextlib.suppress(OSError):  # the agent may have gone first
            self._connection.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join(_ANSWERS_WITHIN)
        self._connection.close()

    def _greet(self, *, steal: bool) -> list[Frame]:
        """Return what came behind the agent's greeting; raise LabError when none came."""
        try:
            self._connection.sendall(greeting(Greeting(steal=steal)))
            found: list[Frame] = []
            while not found:
                data = self._connection.recv(_READ)
                if not data:
                    raise LabError("the agent that holds the console went away")
                found = self._frames.feed(data)
        except OSError as error:
            raise LabError(f"the agent that holds the console does not answer: {error}") from error
        if found[0].kind is not Kind.HELLO:
            raise LabError(f"the agent that holds the console refused: {words(found[0])}")
        return found[1:]

    def _listen(self) -> None:
        why = "the agent that holds the console hung up: its run has ended, or this reader was too slow"
        try:
            frames = self._pending
            while True:
                for each in frames:
                    why = self._hear(each) or why
                data = self._connection.recv(_READ)
                if not data:
                    break
                frames = self._frames.feed(data)
        except (OSError, ProtocolError) as error:
            why = f"the console was lost: {error}"
        if not self._closing:
            self._over(why)

    def _hear(self, heard: Frame) -> str:
        """Pass on what was heard; return the reason when it is the end."""
        match heard.kind:
            case Kind.DATA:
                self._console(unpack_chunk(heard.payload, *self._named))
            case Kind.EVENT:
                self._remark(words(heard))
            case Kind.ERROR:
                return words(heard)
            case _:
                raise ProtocolError(f"an agent does not say {heard.kind.name} here")
        return ""


def attach(folder: Path, bench: str, device: str) -> socket.socket | None:
    """Connect to the newest process that offers a console; None when there is none.

    Sockets that nobody listens on any more are removed.
    """
    for path in _newest_first(folder, socket_pattern(bench, device)):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            with short(path) as address:
                connection.connect(address)
        except OSError as error:
            connection.close()
            if isinstance(error, ConnectionRefusedError):
                path.unlink(missing_ok=True)
            elif isinstance(error, PermissionError):
                raise LabError(
                    f"the console is offered by another user ({path.owner()}), to nobody else"
                ) from error
            continue
        return connection
    return None


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    found: list[tuple[float, Path]] = []
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # it went away meanwhile
            found.append((path.stat().st_mtime, path))
    return [path for _time, path in sorted(found, reverse=True)]


def _unheard(_heard: Heard) -> None:
    return
