"""Taking a bench: a lock on a file that the kernel drops whatever happens to us (flock(2))."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.agent.calls import Take, Waiting
from runner.agent.stop import Stop
from runner.api.values import Duration
from runner.api.verdicts import LabError

_FOLDERS = ("/run/lock/runner", "/tmp/runner-locks")  # noqa: S108 - shared by all users on purpose
_LOOK_AGAIN = 0.2
"""Seconds between two tries: flock(2) cannot be awaited together with a cancel."""


@dataclass(frozen=True)
class Holder:
    """Who holds a bench, as written into the lock's file."""

    holder: str
    user: str
    host: str
    pid: int
    since: str

    def __str__(self) -> str:
        """Write it for people."""
        return f"{self.holder} ({self.user}@{self.host}, process {self.pid}) since {self.since}"


def lock_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of this machine's locks: ``$RUNNER_LOCKS``, or the first that can be written."""
    given = environment.get("RUNNER_LOCKS")
    folders = (given,) if given else _FOLDERS
    for folder in map(Path, folders):
        if usable(folder):
            return folder
    raise LabError(
        f"no folder for the locks of benches can be written: {', '.join(folders)}",
        hint="set RUNNER_LOCKS to a folder that everybody who uses these benches can write",
    )


def usable(folder: Path) -> bool:
    """Make a folder for all users, if need be, and tell whether it can be written."""
    try:
        folder.mkdir()
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


class Locks:
    """The benches that this agent holds."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        """Hold none; the folder is looked for when the first bench is taken."""
        self._folder = folder
        self._held: dict[str, int] = {}

    def take(self, take: Take, hear: Callable[[Waiting], None], stop: Stop) -> None:
        """Take a bench, waiting up to `take.wait` seconds; raise LabError naming the holder."""
        if take.bench in self._held:
            return
        descriptor = _opened(self._folder() / f"{file_name(take.bench)}.lock")
        try:
            self._wait(descriptor, take, hear, stop)
            _write(descriptor, _ourselves(take.holder))
        except BaseException:
            os.close(descriptor)
            raise
        self._held[take.bench] = descriptor

    def drop(self, bench: str) -> None:
        """Give a bench back; one that is not ours is left alone."""
        descriptor = self._held.pop(bench, None)
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def drop_all(self) -> None:
        """Give every bench back."""
        for bench in tuple(self._held):
            self.drop(bench)

    def _wait(self, descriptor: int, take: Take, hear: Callable[[Waiting], None], stop: Stop) -> None:
        until = time.monotonic() + take.wait
        told = ""
        while not _locked(descriptor):
            holder = _read(descriptor)
            left = until - time.monotonic()
            if left <= 0:
                raise _refusal(take, holder)
            if str(holder) != told:
                told = str(holder)
                hear(Waiting(bench=take.bench, holder=told))
            if stop.wait(min(_LOOK_AGAIN, left)):
                raise stop.verdict()


def _refusal(take: Take, holder: Holder | None) -> LabError:
    waited = f"; waited {Duration(take.wait)}" if take.wait else ""
    return LabError(
        f"bench {take.bench} is held by {holder or 'somebody'}{waited}",
        evidence=asdict(holder) if holder else {"holder": "somebody"},
        hint=f"wait {'longer' if take.wait else 'for it'} with --wait, or ask who holds it",
    )


def _opened(path: Path) -> int:
    """Open the lock's file. Without O_CREAT first: the kernel may refuse that on others' files (proc(5))."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LabError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return _opened(path)
    except OSError as error:
        raise LabError(f"cannot make the lock {path}: {error.strerror}") from error
    os.fchmod(descriptor, 0o666)
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ourselves(holder: str) -> Holder:
    return Holder(
        holder=holder,
        user=_user(),
        host=os.uname().nodename,
        pid=os.getpid(),
        since=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _write(descriptor: int, holder: Holder) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)


def _read(descriptor: int) -> Holder | None:
    """Read who holds it; None in the moment before that is written."""
    try:
        return Holder(**json.loads(os.pread(descriptor, 4096, 0)))
    except (ValueError, TypeError):
        return None


def file_name(bench: str) -> str:
    """Return a bench's name as a part of a file's name."""
    return "".join(each if each.isalnum() or each in "._-" else f"%{ord(each):02x}" for each in bench)
