"""A file that an agent sends: written beside its place, and given its name when it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from runner.agent.calls import Saving
from runner.api.values import Size
from runner.api.verdicts import LabError, RecipeFault

_AS_USUAL = 0o666


class Arriving:
    """One file on its way; `finish` or `discard` it."""

    def __init__(self, path: Path, saving: Saving) -> None:
        """Begin; raise RecipeFault when the file may not be written there, LabError when it cannot be."""
        self.path = path
        self.done = 0
        self.total = saving.size
        self._replace = saving.replace
        self._digest = hashlib.sha256()
        self._refuse()
        with self._written():
            if saving.parents:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._file, part = tempfile.mkstemp(
                prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent
            )
            self._part = Path(part)
            os.fchmod(self._file, _AS_USUAL & ~_umask() if saving.mode is None else saving.mode)

    def add(self, data: bytes) -> None:
        """Append bytes; raise LabError when the disk refuses."""
        view = memoryview(data)
        self._digest.update(view)
        self.done += len(view)
        with self._written():
            while view:
                view = view[os.write(self._file, view) :]

    def finish(self, sha256: str) -> None:
        """Compare it with its checksum and give it its name; raise LabError when it is not what was sent."""
        if self._digest.hexdigest() != sha256:
            raise LabError(
                f"{self.path} arrived damaged: its SHA-256 is {self._digest.hexdigest()[:12]}…, sent was "
                f"{sha256[:12]}…",
                evidence={"expected": sha256, "actual": self._digest.hexdigest()},
            )
        self._refuse()
        with self._written():
            os.fsync(self._file)
            self._part.replace(self.path)
        os.close(self._file)

    def discard(self) -> str:
        """Remove what has come; say how much that was."""
        os.close(self._file)
        self._part.unlink(missing_ok=True)
        total = "" if self.total is None else f" of {Size(self.total)}"
        return f"{self.path.name} did not come to its end ({Size(self.done)}{total}): it was not kept"

    def _refuse(self) -> None:
        if self.path.is_dir():
            raise RecipeFault(f"{self.path} is a folder", hint="name the file in it")
        if not self._replace and self.path.exists():
            raise RecipeFault(f"{self.path} is there already", hint="'exists: replace' writes over it")

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise RecipeFault(f"no folder {self.path.parent}", hint="'parents: true' makes it") from error
        except OSError as error:
            raise LabError(f"cannot write {self.path}: {error.strerror}") from error


def _umask() -> int:
    """Return the umask of this process (proc(5), /proc/pid/status), without changing it for a moment."""
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    line = next((each for each in status.splitlines() if each.startswith("Umask:")), "Umask: 0022")
    return int(line.split()[1], 8)
