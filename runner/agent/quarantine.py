"""Benches that nobody may take until somebody has looked at them: a notice in a folder of their host.

The folder outlives a reboot of the host, as the fault of the bench does. Everybody may write it, and
nobody can delete another's file there, so a notice is taken back by emptying its file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.agent.calls import Inspect, Lift, Quarantine, Take
from runner.agent.locks import file_name, usable
from runner.api.verdicts import LabError

_FOLDERS = ("/var/lib/runner", "/var/tmp/runner-state")  # noqa: S108 - shared by all users on purpose
_LONGEST = 64 * 1024

StateRequest = Quarantine | Lift | Inspect


@dataclass(frozen=True)
class Notice:
    """Why a bench may not be taken, who says so, and since when. `run`: empty when a person said so."""

    bench: str
    reason: str
    who: str
    since: str
    run: str = ""

    def __str__(self) -> str:
        """Write it for people."""
        of_run = f", run {self.run}" if self.run else ""
        return f"quarantined since {self.since} by {self.who}{of_run}: {self.reason}"


def state_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where this machine may keep the state of its benches: the first that can be written does.

    That is ``$RUNNER_STATE``, or the folder of the locks when ``$RUNNER_LOCKS`` names one, or ours.
    """
    given = environment.get("RUNNER_STATE") or environment.get("RUNNER_LOCKS")
    return tuple(map(Path, (given,) if given else _FOLDERS))


class Quarantines:
    """The notices of this host. All folders are read, and none is made for that."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Look in these folders."""
        self._folders = folders

    def answer(self, request: StateRequest) -> dict[str, object]:
        """Do what was asked; the answer has the notice that is there now, or was there, or None."""
        match request:
            case Quarantine():
                notice: Notice | None = self.put(request)
            case Lift():
                notice = self.lift(request.bench)
            case Inspect():
                notice = self.of(request.bench)
        return {"notice": asdict(notice) if notice else None}

    def refuse(self, take: Take) -> None:
        """Raise LabError when the bench is in quarantine."""
        notice = self.of(take.bench)
        if notice is not None:
            raise LabError(
                f"bench {take.bench} is {notice}",
                evidence={"quarantine": notice.reason, "by": notice.who, "since": notice.since},
                hint=f"when it is fit again: runner quarantine {take.bench} --clear",
            )

    def of(self, bench: str) -> Notice | None:
        """Return the notice of a bench; None when it may be taken."""
        for path in self._paths(bench):
            try:
                with path.open("rb") as file:
                    written = file.read(_LONGEST)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _trouble("read", bench, path, error) from error
            if written:
                return _read(bench, written, path)
        return None

    def put(self, order: Quarantine) -> Notice:
        """Put a bench into quarantine; one that is in it already keeps its notice."""
        known = self.of(order.bench)
        if known is not None:
            return known
        now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        notice = Notice(bench=order.bench, reason=order.reason, who=order.who, since=now, run=order.run)
        _write(order.bench, self._place(order.bench), json.dumps(asdict(notice)).encode())
        return notice

    def lift(self, bench: str) -> Notice | None:
        """Let a bench be taken again; return the notice that was there."""
        notice = self.of(bench)
        for path in self._paths(bench):
            if path.exists():
                _write(bench, path, b"")
        return notice

    def _paths(self, bench: str) -> tuple[Path, ...]:
        return tuple(folder / f"{file_name(bench)}.quarantine" for folder in self._folders)

    def _place(self, bench: str) -> Path:
        for path in self._paths(bench):
            if usable(path.parent):
                return path
        raise LabError(
            f"no folder for the state of benches can be written: {', '.join(map(str, self._folders))}",
            hint="set RUNNER_STATE to a folder that everybody who uses these benches can write",
        )


def _write(bench: str, path: Path, data: bytes) -> None:
    try:
        descriptor = _opened(path)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, data, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _trouble("write", bench, path, error) from error


def _trouble(doing: str, bench: str, path: Path, error: OSError) -> LabError:
    return LabError(f"cannot {doing} the state of bench {bench}: {path}: {error.strerror}")


def _opened(path: Path) -> int:
    """Open for writing. Without O_CREAT first: the kernel may refuse that on others' files (proc(5))."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        pass
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_CREAT, 0o666)
    os.fchmod(descriptor, 0o666)
    return descriptor


def _read(bench: str, written: bytes, path: Path) -> Notice:
    """Read a notice; one that is damaged keeps the bench in quarantine all the same."""
    try:
        return Notice(**json.loads(written))
    except (ValueError, TypeError):
        return Notice(
            bench=bench, reason=f"its notice cannot be read: {path}", who="unknown", since="unknown"
        )
