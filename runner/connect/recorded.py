"""Reads the recording of a run: ``console.rec`` and the logs of its consoles."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.connect.recording import NAME, VERSION, log_sums
from runner.errors import Fault, InputError, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened on a bench, at `at` nanoseconds of its host's monotonic clock."""

    at: int
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened(Entry):
    """A console was read from then on."""

    settings: Mapping[str, Any]
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing(Entry):
    """Bytes were typed."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Entry):
    """Bytes were received, or none because of `gap`; `ended`: nothing came until the next power-on."""

    wall_ns: int
    data: bytes
    gap: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Entry):
    """A power switch was asked something, until `ended_ns`."""

    method: str
    ended_ns: int
    answer: Any
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call to the agent: its kind, its request, what was heard of it and how it ended."""

    kind: str
    request: Mapping[str, Any]
    began: int
    ended: int
    heard: Sequence[Mapping[str, Any]]
    answer: Any = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A whole recording. `started`: what was asked of the run; `complete`: false when it was killed."""

    path: Path
    began: int
    started: Mapping[str, Any]
    entries: Mapping[str, tuple[Entry, ...]]
    calls: Mapping[str, tuple[Called, ...]]
    complete: bool

    def began_on(self, bench: str) -> int:
        """Return when a bench's time begins, in nanoseconds of the clock of its own host."""
        entries = self.entries.get(bench, ())
        calls = self.calls.get(bench, ())
        ours = not calls or bool(calls[0].began)
        return self.began if ours or not entries else entries[0].at

    @property
    def benches(self) -> tuple[str, ...]:
        """The names of the benches that it is of."""
        return tuple(dict.fromkeys((*self.calls, *self.entries)))


def read_recording(folder: Path) -> Recorded:
    """Read the recording of the run in a folder; raise InputError when there is none, or it is damaged."""
    path = folder / NAME
    records = list(_records(path))
    if not records or records[0].get("recording") not in range(1, VERSION + 1):
        version = records[0].get("recording") if records else None
        raise _damaged(path, 1, f"its version is {version}, and only those up to {VERSION} are known")
    entries: dict[str, list[Entry]] = {}
    calls: dict[str, list[Called]] = {}
    logs: dict[str, Mapping[str, Any]] | None = None
    for number, record in enumerate(records[1:], start=2):
        try:
            match record:
                case {"call": said}:
                    calls.setdefault(said["request"]["bench"], []).append(_call(said))
                case {"end": ends}:
                    logs = {name: _end(said) for name, said in ends.items()}
                case _:
                    bench, entry = _entry(record)
                    entries.setdefault(bench, []).append(entry)
        except (KeyError, TypeError, UnicodeError) as error:
            raise _damaged(path, number, f"this line is not of a recording: {error!r}") from error
    if logs is None and _has_ended(folder):
        raise _spoilt(path, "its end is missing, and the run was not killed: events.jsonl has its end")
    for bench, kept in entries.items():
        for device in dict.fromkeys(each.device for each in kept if isinstance(each, Listened)):
            name = f"{bench}.{device}"
            end = None if logs is None else logs.get(name, {"bytes": 0})
            kept.extend(_received(folder / "console" / f"{name}.raw", device, end))
    return Recorded(
        path=path,
        began=records[0]["t"],
        started=records[0],
        entries={bench: tuple(sorted(kept, key=lambda each: each.at)) for bench, kept in entries.items()},
        calls={bench: tuple(sorted(kept, key=lambda each: each.began)) for bench, kept in calls.items()},
        complete=logs is not None,
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError as error:
        message = f"{path.parent} has no {NAME}: nothing of this run was recorded"
        raise InputError([Fault(code="E541", message=message)]) from error
    before = 0
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            return  # the run was killed while it wrote this
        check, _, text = line[:-1].partition(b" ")
        if check != b"%08x" % zlib.crc32(text):
            raise _damaged(path, number, "its check sum is wrong")
        record = json.loads(text)
        if record.get("before", f"{before:08x}") != f"{before:08x}":
            raise _damaged(path, number, "the lines before this one are not those that were written")
        before = zlib.crc32(line, before)
        yield record


def _has_ended(folder: Path) -> bool:
    """Tell whether the events beside a recording are those of a run that has ended by itself."""
    events = folder / "events.jsonl"
    last = events.read_bytes().splitlines()[-1:] if events.is_file() else []
    return any(line.startswith(b'{"event":"run_finished"') for line in last)


def _end(said: Any) -> Mapping[str, Any]:
    """Return the length and the check sums of a console's log; version 1 had only the length."""
    return {"bytes": said} if isinstance(said, int) else dict(said)


def _entry(record: Mapping[str, Any]) -> tuple[str, Entry]:
    match record:
        case {"listening": said}:
            return said["bench"], Listened(
                at=said["monotonic_ns"], device=said["device"], settings=said["settings"], seed=said["seed"]
            )
        case {"typed": said}:
            data = said["data"].encode("latin-1")
            return said["bench"], Typing(at=said["monotonic_ns"], device=said["device"], data=data)
        case {"switched": said}:
            return said["bench"], Asked(
                at=said["began_ns"],
                device=said["device"],
                method=said["method"],
                ended_ns=said["ended_ns"],
                answer=said["answer"],
                error=said["ended"],
            )
    raise KeyError(next(iter(record), "nothing"))


def _call(said: Mapping[str, Any]) -> Called:
    return Called(
        kind=said["kind"],
        request=said["request"],
        began=said["began_ns"],
        ended=said["ended_ns"],
        heard=said["heard"],
        answer=said.get("answer"),
        error=said.get("error"),
    )


def _received(log: Path, device: str, wanted: Mapping[str, Any] | None) -> Iterator[Received]:
    """Go through what a console received; what the index of a killed run does not have is left out."""
    if not log.is_file():
        if wanted is not None and wanted["bytes"]:
            raise _spoilt(log, f"it is missing, and {wanted['bytes']} bytes were recorded")
        return
    data = log.read_bytes()
    if wanted is not None:
        _compare(log, len(data), wanted)
    stamps = list(_stamps(log.with_suffix(".idx"), complete=wanted is not None))
    ends = [*(stamp["offset"] for stamp in stamps[1:]), len(data)]
    gaps = [stamp.get("gap", "") for stamp in stamps]
    for place, (stamp, end) in enumerate(zip(stamps, ends, strict=True)):
        if not 0 <= stamp["offset"] <= end <= len(data):
            raise _damaged(log.with_suffix(".idx"), place + 1, "this points outside of the log")
        later = next((each for each in gaps[place + 1 :] if each), "")
        yield Received(
            at=stamp["monotonic_ns"],
            device=device,
            wall_ns=stamp["wall_ns"],
            data=data[stamp["offset"] : end],
            gap=gaps[place],
            ended=gaps[place].startswith("lost: ") and not later.startswith("open again"),
        )


def _compare(log: Path, size: int, wanted: Mapping[str, Any]) -> None:
    """Raise InputError for a log that is not as it was when the run ended."""
    if size != wanted["bytes"]:
        raise _spoilt(log, f"it has {size} bytes, and {wanted['bytes']} were recorded")
    for name, found in log_sums(log).items():
        if found != wanted.get(name, found):
            why = f"its check sum is {found}, and {wanted[name]} was recorded: it has been edited"
            raise _spoilt(log.with_suffix(f".{name}"), why)


def _stamps(index: Path, *, complete: bool) -> Iterator[dict[str, Any]]:
    try:
        lines = index.read_bytes().splitlines(keepends=True)
    except FileNotFoundError as error:
        raise _spoilt(index, "it is missing") from error
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n") and not complete:
            return
        try:
            stamp = json.loads(line)
            _ = stamp["offset"] + stamp["monotonic_ns"] + stamp["wall_ns"]
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(index, number, "this line is not of an index") from error
        yield stamp


def differences(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Say in which arguments and devices two requests differ."""
    found: list[str] = []
    for part in ("arguments", "devices"):
        before, now = recorded.get(part, {}), asked.get(part, {})
        found += [
            f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
            for name in dict.fromkeys((*before, *now))
            if before.get(name) != now.get(name)
        ]
    return found


def _damaged(path: Path, line: int, why: str) -> InputError:
    message = f"the recording is damaged: {why}"
    at = Location(str(path), line, 1)
    return InputError([Fault(code="E542", message=message, at=at)])


def _spoilt(path: Path, why: str) -> InputError:
    return InputError([Fault(code="E542", message=f"the recording is damaged: {path}: {why}")])
