"""A disk in QEMU's own format, made and measured by qemu-img."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from runner.api import LabError, Size, Unreachable
from runner.api.image import refuse_size

_LIMIT = 60.0


class Qcow2:
    """A qcow2 file, made when it is not there; with an empty path a temporary one."""

    def __init__(self, path: str, capacity: Size) -> None:
        """Choose the file; nothing is opened yet."""
        self.path = path
        self._capacity = capacity
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def open(self) -> None:
        """Make it, or look at the one that is there; raise LabError when that is no qcow2 file."""
        if not self.path:
            self._folder = tempfile.TemporaryDirectory(prefix="runner-disk-")
            self.path = str(Path(self._folder.name, "disk.qcow2"))
        if not Path(self.path).exists():
            _qemu_img("create", "-q", "-f", "qcow2", self.path, str(int(self._capacity)))
        elif (found := self._info()["format"]) != "qcow2":
            raise LabError(f"{self.path!r} is {found}, not qcow2", hint="say so in the disk's option format")

    def close(self) -> None:
        """Delete it when it is temporary."""
        if self._folder is not None:
            self._folder.cleanup()

    def size(self) -> Size:
        """Return how many bytes the guest sees."""
        return Size(self._info()["virtual-size"])

    def grow(self, capacity: Size) -> None:
        """Make it hold more; raise LabError for less, and where there is no space."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            used = os.fstat(descriptor).st_blocks * 512
            refuse_size(repr(self.path), self.size(), capacity, used=used, descriptor=descriptor)
        finally:
            os.close(descriptor)
        _qemu_img("resize", "-q", "-f", "qcow2", self.path, str(int(capacity)))

    def _info(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(_qemu_img("info", "-U", "--output=json", self.path))
        return found


def _qemu_img(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["qemu-img", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"qemu-img {arguments[0]} has not ended within {_LIMIT:g}s") from error
    except OSError as error:
        raise Unreachable(
            f"cannot start 'qemu-img': {error.strerror}", hint="it is in Debian's package qemu-utils"
        ) from error
    if done.returncode:
        raise LabError(done.stderr.strip(), evidence={"arguments": list(arguments)})
    return done.stdout
