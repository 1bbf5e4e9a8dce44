"""Say how a storage mux stands."""

from __future__ import annotations

import os

from runner.api import Context, LabError, Module, MuxPosition, Result, Size, StorageMux, Unreachable, device
from runner.modules.storage.mux_moves import Mux


class MuxInfo(Result):
    """How it stands; what it cannot tell is None."""

    mux: str
    """Which one it is: its kind and serial number."""
    position: MuxPosition | None
    block_device: str | None
    """Where the medium is on the host; None while it is not there."""
    card_size: Size | None


class StorageMuxInfo(Module):
    """Say who has the medium of a storage mux, and where the host finds it.

    Example::

        - storage_mux_info:
          expect: result.card_size >= 4 * 2 ** 30
    """

    reads_only = True

    mux: StorageMux = device(help="the mux")

    def run(self, context: Context) -> MuxInfo:
        """Read it, and look for the medium."""
        mux = Mux(self.mux, context)
        position = mux.position()
        medium = _found(mux)
        return MuxInfo(
            mux=self.mux.label(),
            position=position,
            block_device=medium,
            card_size=None if medium is None else _size(medium),
        )


def _found(mux: Mux) -> str | None:
    try:
        return mux.medium()
    except Unreachable:  # that it is not there is an answer
        return None


def _size(medium: str) -> Size:
    try:
        descriptor = os.open(medium, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return Size(os.lseek(descriptor, 0, os.SEEK_END))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LabError(f"cannot measure {medium!r}: {error.strerror}", evidence={"path": medium}) from error
