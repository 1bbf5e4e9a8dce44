"""Logs of CAN frames that a step writes and plays, by python-can's writers and readers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.api import ByteString, CanFrame, LabError, RecipeFault
from runner.api.frames import frame_misfit


class Log:
    """A log that is written frame by frame; its suffix is its format."""

    def __init__(self, path: Path) -> None:
        """Begin it; raise LabError when it cannot be written."""
        import can

        self._path = path
        self._wall = time.time() - time.monotonic()
        with self._translated():
            self._writer: Any = can.Logger(str(path))

    def write(self, frame: CanFrame) -> None:
        """Write a frame."""
        import can

        message = can.Message(
            timestamp=frame.time + self._wall,
            arbitration_id=frame.id,
            is_extended_id=frame.extended,
            is_remote_frame=frame.remote,
            is_error_frame=frame.error,
            is_fd=frame.fd,
            bitrate_switch=frame.bitrate_switch,
            is_rx=not frame.sent,
            dlc=frame.dlc if frame.remote else None,
            data=None if frame.remote else bytes(frame.data),
            channel=0,
        )
        with self._translated():
            self._writer.on_message_received(message)

    def close(self) -> None:
        """End it."""
        with self._translated():
            self._writer.stop()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LabError(f"cannot write {self._path.name}: {error.strerror or error}") from error


def frames_in(path: str) -> Iterator[tuple[float, CanFrame]]:
    """Return the frames of a log with their times in seconds; error frames are left out.

    Raise RecipeFault for a file that is none, or holds frames that no bus can carry.
    """
    import can

    name = Path(path).name
    try:
        with can.LogReader(path) as reader:
            for message in reader:
                if not message.is_error_frame:
                    yield message.timestamp, _checked(message, name)
    except (ValueError, KeyError, IndexError, OSError, can.CanError) as error:
        raise RecipeFault(f"{name} cannot be read as a log of frames: {error}") from error


def _checked(message: Any, name: str) -> CanFrame:
    frame = CanFrame(
        id=message.arbitration_id,
        data=ByteString(b"" if message.is_remote_frame else bytes(message.data)),
        extended=message.is_extended_id,
        remote=message.is_remote_frame,
        fd=message.is_fd,
        bitrate_switch=message.bitrate_switch,
        dlc=message.dlc if message.is_remote_frame else None,
    )
    misfit = frame_misfit(frame)
    if misfit is not None:
        raise RecipeFault(f"{name}: {misfit.message}")
    return frame
