"""A camera with RTSP."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any, Literal

from runner.api import (
    CameraState,
    Context,
    Driver,
    Duration,
    Frame,
    Misfit,
    Needs,
    Secret,
    StreamAddress,
    Video,
    arg,
)
from runner.modules.video.decoded import Decoded
from runner.modules.video.ffmpeg import PROGRAM, Stream
from runner.modules.video.live import LiveStream
from runner.modules.video.source import address_of, wrong_url

_ON_THEIR_WAY = 3


class Rtsp(Driver, Video):
    """A camera with RTSP (RFC 2326): H.264, H.265, MJPEG, or what else the host's ffmpeg decodes.

    ffmpeg (5.1 or newer) is started by the first step that needs a picture, and decodes the stream
    to the end of the run; what it says at its end is in the error, and the next step starts it again.
    It learns the password, Basic or Digest (MD5), from its standard input: no command line shows it.
    A picture is one that began to leave ffmpeg after it was asked for; how old camera and network make
    it, nobody can tell, and right after the start it is as old as the stream's first key frame.
    It is tested with H.264 and MJPEG of GStreamer's RTSP server, not on a camera.

    Example::

        devices:
          desk: {driver: rtsp, url: "rtsp://10.0.0.9/live", user: viewer, password: "{{ secrets.camera }}"}
          door: {driver: rtsp, url: "rtsp://10.0.0.8:8554/h264?channel=1", transport: udp}
    """

    url: str = arg(primary=True, help="where its stream is: rtsp://ADDRESS/PATH")
    user: str = arg(default="", help="who it asks for; empty: nobody")
    password: Secret = arg(default=Secret(), help="the user's password")
    transport: Literal["tcp", "udp"] = arg(
        default="tcp", help="how pictures come: tcp, within the connection that asks for them, or udp"
    )
    limit: Duration = arg(
        default=Duration("10s"), help="how long it may take to the first picture, and to the next"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse what is no URL, and a password of nobody."""
        if wrong := wrong_url(str(given.get("url") or ""), ("rtsp",)):
            yield Misfit("url", wrong)
        if given.get("password") and not given.get("user"):
            yield Misfit("password", "whose is it?", "write user, too")

    def needs(self) -> Needs:
        """Return the camera, and the program."""
        return Needs(nodes=(self.url,), programs={PROGRAM: "ffmpeg"})

    def open(self) -> None:
        """Get ready; the first step connects."""
        self._live: LiveStream | None = None

    def close(self) -> None:
        """End ffmpeg, and the connection with it."""
        if self._live is not None:
            self._live.close()

    def snapshot(self, context: Context) -> Frame:
        """Wait for the next picture, which each of those on their way may delay."""
        return self._stream().newest(context, _ON_THEIR_WAY * self.limit)

    def state(self, context: Context) -> CameraState:
        """Take a picture, and count those of a second."""
        frame = self.snapshot(context)
        fps = self._stream().rate(context)
        return CameraState(online=True, width=frame.width, height=frame.height, fps=fps)

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Return the pictures as they come."""
        yield from self._stream().frames(context, until)

    def address(self) -> StreamAddress:
        """Return where the stream is."""
        return address_of(self.url)

    def _stream(self) -> LiveStream:
        if self._live is None or self._live.ended:
            stream = Stream(self.url, self.user, self.password, self.transport)
            self._live = LiveStream(Decoded(stream, self.limit))
        return self._live
