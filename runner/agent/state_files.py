"""Files that say something of a bench and outlive a reboot of its host.

Everybody may write them, and nobody can delete another's file there, so what is said is taken back by
emptying the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.agent.lock_files import file_name, usable
from runner.api.verdicts import LabError

_FOLDERS = ("/var/lib/runner", "/var/tmp/runner-state")  # noqa: S108 - shared by all users on purpose
_LONGEST = 64 * 1024


def state_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where this machine may keep the state of its benches: the first that can be written does.

    That is ``$RUNNER_STATE``, or the folder of the locks when ``$RUNNER_LOCKS`` names one, or ours.
    """
    given = environment.get("RUNNER_STATE") or environment.get("RUNNER_LOCKS")
    return tuple(map(Path, (given,) if given else _FOLDERS))


class StateFiles:
    """The files of one kind. All folders are read, and none is made for that."""

    def __init__(self, folders: Sequence[Path], kind: str) -> None:
        """Look in these folders for files that end in `kind`."""
        self._folders = folders
        self._kind = kind

    def read(self, bench: str) -> tuple[bytes, Path] | None:
        """Return what is said of a bench, and where; None when nothing is."""
        for path in self._paths(bench):
            try:
                with path.open("rb") as file:
                    written = file.read(_LONGEST)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _trouble("read", bench, path, error) from error
            if written:
                return written, path
        return None

    def write(self, bench: str, data: bytes) -> None:
        """Say something of a bench, on disk when this returns."""
        _write(bench, self._place(bench), data)

    def clear(self, bench: str) -> None:
        """Take back what is said of a bench."""
        for path in self._paths(bench):
            if path.exists():
                _write(bench, path, b"")

    def _paths(self, bench: str) -> tuple[Path, ...]:
        return tuple(folder / f"{file_name(bench)}.{self._kind}" for folder in self._folders)

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
