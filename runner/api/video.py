"""What a camera or a frame grabber shows."""

from __future__ import annotations

import abc
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.api.interfaces import Interface
from runner.api.module import Result

if TYPE_CHECKING:
    from runner.api.context import Context


@dataclass(frozen=True)
class Frame:
    """One picture, as JPEG (ITU-T T.81)."""

    jpeg: bytes
    width: int
    height: int
    time: float
    """When it came, in seconds of the host's monotonic clock."""
    online: bool | None = None
    """False when the source says that it has no signal, and this stands in for a picture; None: unknown."""


class CameraState(Result):
    """How a camera is; None where it cannot tell."""

    online: bool
    """Whether there is a signal."""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    """Pictures a second that it takes."""
    desired_fps: float | None = None
    encoder: str = ""
    quality: int | None = None
    """Of the JPEG, up to 100."""


@dataclass(frozen=True)
class StreamAddress:
    """Where the host of the bench finds the pictures as one stream: multipart/x-mixed-replace, or RTSP."""

    to: str
    """``host:port``, or the path of a Unix socket: what a forward leads to."""
    path: str
    """What is asked for there."""
    scheme: str = "http"


class Video(Interface):
    """A camera, or a grabber in front of a screen."""

    @abc.abstractmethod
    def snapshot(self, context: Context) -> Frame:
        """Return a picture that was taken after this call; raise LabError when there is none in time."""

    @abc.abstractmethod
    def state(self, context: Context) -> CameraState:
        """Ask how it is."""

    @abc.abstractmethod
    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Return each picture as it comes, up to a time of the monotonic clock.

        Raise LabError when the source ends before, Cancelled when the step is stopped.
        """

    @abc.abstractmethod
    def address(self) -> StreamAddress:
        """Return where the stream is; raise Unsupported when there is none."""
