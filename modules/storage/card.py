"""A medium behind a mux: taken from the board, used as storage, and given back."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from runner.api import Context, Duration, LabError, MuxPosition, Size, Storage, StorageMux, Unreachable, disks
from runner.api.image import Image
from runner.modules.storage.mux_moves import Mux
from runner.modules.storage.patient import Patient

_NOT_YET = frozenset({errno.ENOENT, errno.ENOMEDIUM, errno.EIO, errno.ENXIO, errno.ENODEV})
"""What the kernel says of a reader whose medium it has not found yet."""
_LOOK_EVERY = 0.1
_CLOSE = Duration("5s")


class InUse(LabError):
    """A disk that is not to be touched."""


class Card(Storage):
    """A mux's medium while this host has it; `begin` fetches it, `end` gives it to `leave`."""

    def __init__(
        self,
        mux: StorageMux,
        context: Context,
        patient: Patient,
        *,
        leave: MuxPosition,
        wait_device: Duration,
        settle: Duration,
        force: bool = False,
        reading: bool = False,
    ) -> None:
        """Take the mux; nothing is switched yet.

        `wait_device`: how long the medium may take to be usable. `settle`: how long its reader is left
        alone before the mux is switched. `reading`: it is not written.
        """
        self._mux = Mux(mux, context, "storage")
        self._context = context
        self._patient = patient
        self._leave = leave
        self._wait_device = wait_device
        self._settle = settle
        self._force = force
        self._reading = reading
        self._image: Image | None = None
        self._claim: int | None = None
        self._written = False

    def begin(self, target: str) -> None:
        """Give the medium to this host and wait until it can be used; raise Unreachable when it cannot."""
        super().begin(target)
        if self._image is not None:
            return
        self._mux.move("host")
        path, capacity = self._usable()
        if not self._reading and not self._force:
            self._protect(path)
        image = Image(path, capacity, reading=self._reading)
        image.open()
        self._image = image

    def end(self) -> None:
        """Close it, let the reader settle, and give it back."""
        try:
            if self._patient.stuck:
                self._patient.later(self._close)
            elif self._image is not None:
                self._patient.ask(self._close, _CLOSE, f"closing {self._image.path}", "close")
            if self._written and not self._context.cancelled:
                self._context.sleep(self._settle)
        finally:
            self._release()
            self._mux.move(self._leave)

    def size(self) -> Size | None:
        """Return how many bytes the medium, or its partition, holds."""
        return self._opened.size()

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`."""
        self._written = True
        self._opened.write(offset, data)

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`."""
        return self._opened.read(offset, length)

    def flush(self) -> None:
        """Return when the medium has everything."""
        self._opened.flush()

    def forget(self) -> None:
        """Drop what the kernel keeps of it."""
        self._opened.forget()

    @property
    def _opened(self) -> Image:
        if self._image is None:
            raise LabError("the medium was given back")
        return self._image

    def _close(self) -> None:
        image, self._image = self._image, None
        if image is not None:
            image.close()

    def _release(self) -> None:
        claim, self._claim = self._claim, None
        if claim is not None:
            os.close(claim)

    def _usable(self) -> tuple[str, Size]:
        """Wait until the medium can be opened and holds something; return its path and how much."""
        left, why = float(self._wait_device), ""
        while True:
            found = self._patient.ask(
                lambda: _looked(self._mux, reading=self._reading),
                self._wait_device,
                "opening the medium",
                "wait_device",
            )
            if not isinstance(found, str):
                return found
            why = found
            if left <= 0:
                break
            self._context.sleep(min(_LOOK_EVERY, left))
            left -= _LOOK_EVERY
        position = self._mux.position()
        moved = position in {None, "host"}
        raise Unreachable(
            f"the medium was not there within {self._wait_device} of switching the mux to this host"
            f"{'' if moved else f', which still reads {position!r}'}: {why}",
            evidence={
                "limit": float(self._wait_device),
                "limit_origin": "wait_device",
                "position": position or "unknown",
            },
            hint="is a card in it? A slow reader gets more time by 'wait_device'"
            if moved
            else "is the mux set up for being switched (see its driver), and does nothing else switch it?",
        )

    def _protect(self, path: str) -> None:
        """Refuse a disk that this host uses, and let nobody use it while we have it (open(2), O_EXCL)."""
        why = disks.refusal(path)
        if not why and Path(path).is_block_device():
            try:
                self._claim = os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
            except OSError as error:
                why = f"{path} cannot be had alone: {error.strerror}"
        if why:
            raise InUse(f"{why}: nothing was written", hint="'force: true' writes all the same")


def _looked(mux: Mux, *, reading: bool) -> tuple[str, Size] | str:
    """Return path and size of the medium, or why it cannot be used yet."""
    try:
        path = mux.medium()
    except Unreachable as error:
        return error.message
    try:
        file = os.open(path, (os.O_RDONLY if reading else os.O_RDWR) | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NOT_YET:
            return f"{path}: {error.strerror}"
        raise LabError(f"cannot open {path}: {error.strerror}", evidence={"path": path}) from error
    try:
        size = os.lseek(file, 0, os.SEEK_END)
    except OSError as error:
        return f"{path}: {error.strerror}"
    finally:
        os.close(file)
    return (path, Size(size)) if size else f"{path} holds 0 bytes"
