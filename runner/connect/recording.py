"""Records what a run hears from its agents and asks of them, so that it can be replayed: ``console.rec``.

The file has a line for each thing that happened: the CRC-32 of the rest, and JSON. What consoles
received is not in it a second time: it is in ``console/*.raw``, and when, in ``console/*.idx``.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.agent.calls import (
    Configure,
    ConsoleBytes,
    Heard,
    Listening,
    Piece,
    Release,
    Request,
    Run,
    Saving,
    Switched,
    Take,
    Typed,
)
from runner.agent.forwarding import Forward
from runner.agent.messages import to_json
from runner.api.codec import encode, secrets_in
from runner.api.verdicts import LabError, Verdict
from runner.connect.agents import Connect
from runner.connect.link import Cancel, Crash, Link
from runner.masking import Masker
from runner.model import Host

NAME = "console.rec"
VERSION = 2


def framed(record: Mapping[str, Any], masker: Masker) -> bytes:
    """Return a line of the file."""
    text = masker.mask(to_json(record).decode("ascii")).encode("ascii", "backslashreplace")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def log_sums(log: Path) -> dict[str, str]:
    """Return the CRC-32 of a console's log and of the index beside it, as far as they are there."""
    paths = {path.suffix[1:]: path for path in (log, log.with_suffix(".idx")) if path.is_file()}
    return {name: f"{_sum_of(path):08x}" for name, path in paths.items()}


def _sum_of(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            found = zlib.crc32(data, found)
    return found


class Recording:
    """The open file of one run. Connections of several hosts write to it."""

    def __init__(self, folder: Path, masker: Masker, started: Mapping[str, Any]) -> None:
        """Create it; `started` says what was asked of the run. Raise LabError when the disk refuses."""
        self._path = folder / NAME
        self._sum = 0
        self._masker = masker
        self._lock = threading.Lock()
        self._received: Counter[str] = Counter()
        self._seeds: dict[str, int] = {}
        try:
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            raise self._refused(error) from error
        self._put({"recording": VERSION, "t": time.monotonic_ns(), **started})

    def connector(self, connect: Connect) -> Connect:
        """Return what connects as `connect` does, and has everything recorded."""

        def recorded(
            host: Host, console: Callable[[ConsoleBytes], None], heard: Callable[[Heard], None]
        ) -> Link:
            def received(chunk: ConsoleBytes) -> None:
                self._received[f"{chunk.bench}.{chunk.device}"] += len(chunk.data)
                console(chunk)

            def told(said: Heard) -> None:
                if not self.take(said):
                    heard(said)

            return RecordedLink(connect(host, received, told), self, same_clock=host.local)

        return recorded

    def take(self, said: Heard) -> bool:
        """Record what only a recording is told; False for what is for others."""
        match said:
            case Listening() | Switched():
                self._put({type(said).__name__.lower(): vars(said)})
            case Typed():
                data = self._masker.mask_bytes(said.data).decode("latin-1")
                self._put({"typed": {**vars(said), "data": data}})
            case _:
                return False
        return True

    def seeded(self, request: Configure) -> Configure:
        """Choose what the names on a bench's consoles are made from, and record it."""
        seed = self._seeds.setdefault(request.bench, secrets.randbits(62))
        return dataclasses.replace(request, seed=seed)

    def called(self, request: Request, began: int, heard: list[Any], how: Mapping[str, Any]) -> None:
        """Record a call with its end."""
        asked = _asked(request)
        times = {"began_ns": began, "ended_ns": time.monotonic_ns() if began else 0}
        self._put(
            {"call": {"kind": type(request).__name__, "request": asked, "heard": heard, **times, **how}}
        )

    def hide(self, answer: object) -> None:
        """Write no secret that an answer holds, from now on."""
        for secret in secrets_in(answer):
            self._masker.add(secret)

    def close(self) -> None:
        """Say that nothing is missing, with check sums of everything, and close the file.

        Whoever writes the logs of the consoles has closed them by then. Raise LabError for the disk.
        """
        consoles = self._path.parent / "console"
        try:
            found = {name: log_sums(consoles / f"{name}.raw") for name in self._received}
        except OSError as error:
            raise LabError(f"{error.filename} cannot be read again: {error.strerror}") from error
        end = {name: {"bytes": count, **found[name]} for name, count in self._received.items()}
        self._put({"end": end, "before": f"{self._sum:08x}"})
        self._file.close()

    def _put(self, record: Mapping[str, Any]) -> None:
        line = framed(record, self._masker)
        try:
            with self._lock:
                self._file.write(line)
                self._sum = zlib.crc32(line, self._sum)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> LabError:
        return LabError(
            f"{self._path} cannot be written: {error.strerror}", hint="is the disk of --results full?"
        )


class RecordedLink:
    """A link whose calls are recorded."""

    def __init__(self, link: Link, recording: Recording, *, same_clock: bool) -> None:
        """Pass everything on to `link`; calls have times when the agent's clock is ours."""
        self._link = link
        self._recording = recording
        self._clock = time.monotonic_ns if same_clock else lambda: 0

    @property
    def lost(self) -> str:
        """Why the agent is gone."""
        return self._link.lost

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Run one request as the link does, and record how it ended."""
        heard: list[Any] = []

        def listen(said: Heard) -> None:
            if not self._recording.take(said):
                if not isinstance(said, (Saving, Piece)):  # what it was, `Saved` says
                    heard.append({type(said).__name__: vars(said)})
                hear(said)

        if isinstance(request, Configure):
            request = self._recording.seeded(request)
        elif isinstance(request, Take) and request.configure is not None:
            request = dataclasses.replace(request, configure=self._recording.seeded(request.configure))
        began = self._clock()
        try:
            answer = self._link.call(request, listen, cancel=cancel)
        except (Verdict, Crash) as error:
            self._recording.called(request, began, heard, {"error": _as_ended(error)})
            raise
        self._recording.hide(answer)
        if isinstance(request, (Run, Take, Release, Forward)):
            self._recording.called(request, began, heard, {"answer": answer})
        return answer

    def close(self) -> None:
        """End the agent."""
        self._link.close()


def _asked(request: Request) -> Mapping[str, Any]:
    match request:
        case Run():
            return vars(request)
        case Forward(bench=bench, to=to, listen=listen, reverse=reverse):
            return {"bench": bench, "arguments": {"to": to, "listen": listen, "reverse": reverse}}
        case _:
            return {"bench": request.bench}


def _as_ended(error: Verdict | Crash) -> dict[str, Any]:
    if isinstance(error, Crash):
        return {
            "verdict": "Crash",
            "kind": "internal",
            "message": error.message,
            "traceback": error.traceback,
        }
    evidence = {name: encode(value) for name, value in error.evidence.items()}
    return {
        "verdict": type(error).__name__,
        "kind": error.kind,
        "message": error.message,
        "evidence": evidence,
        "hint": error.hint,
        "result": encode(error.result),
    }
