"""A camera with a web server."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping
from typing import Any, Literal

from runner.api import (
    CameraState,
    Context,
    Driver,
    Duration,
    FilePath,
    Frame,
    Misfit,
    Needs,
    Secret,
    StreamAddress,
    Unsupported,
    Video,
    arg,
)
from runner.api.web import Web
from runner.modules.video.live import LiveStream
from runner.modules.video.source import LARGEST, Source, address_of, split_url, wrong_url

_PAUSE = 0.04
"""Seconds between single pictures that are put together to a film: 25 a second are enough."""


class Mjpeg(Driver, Video):
    """A camera with a web server: a stream of JPEG pictures (MJPEG), single ones, or both.

    A single picture is taken from `snapshot_url` if there is one. Otherwise the stream is read from
    the first picture on to the end of the run, so that a picture is always one that began to come
    after it was asked for; how old the camera makes it, nobody can tell. A stream that has ended is
    asked for again by the next step. It is tested against emulated cameras, and with ustreamer.

    Example::

        devices:
          desk: {driver: mjpeg, url: "http://10.0.0.9/video", user: viewer, password: "{{ secrets.camera }}"}
          door: {driver: mjpeg, snapshot_url: "https://10.0.0.8/snapshot.jpg", insecure: true}
    """

    url: str = arg(default="", primary=True, help="where its stream is (multipart/x-mixed-replace)")
    snapshot_url: str = arg(default="", help="where it gives a single picture")
    user: str = arg(default="", help="who it asks for; empty: nobody")
    password: Secret = arg(default=Secret(), help="the user's password")
    auth: Literal["auto", "basic", "digest"] = arg(
        default="auto", help="how the password is told: as it asks for it, or always in one way"
    )
    ca: FilePath | None = arg(default=None, help="the certificate that its own is signed by (https)")
    insecure: bool = arg(default=False, help="take any certificate (https)")
    limit: Duration = arg(
        default=Duration("10s"), help="how long it may take to answer, or to the next picture"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse what is no URL, and none at all."""
        if given.get("url") == given.get("snapshot_url") == "":
            yield Misfit("url", "neither a stream nor single pictures", "write url: http://ADDRESS/PATH")
        for name in ("url", "snapshot_url"):
            if given.get(name) and (wrong := wrong_url(given[name])):
                yield Misfit(name, wrong)

    def needs(self) -> Needs:
        """Return its web server."""
        return Needs(nodes=tuple(filter(None, (self.url, self.snapshot_url))))

    def open(self) -> None:
        """Get ready; the first step connects."""
        self._live: LiveStream | None = None
        self._single = self._source(self.snapshot_url) if self.snapshot_url else None

    def close(self) -> None:
        """End the connections."""
        if self._live is not None:
            self._live.close()
        if self._single is not None:
            self._single.web.close()

    def snapshot(self, context: Context) -> Frame:
        """Ask for a picture, or wait for the next one of the stream."""
        if self._single is not None:
            return self._single.picture(context)[0]
        return self._stream().newest(context, self.limit)

    def state(self, context: Context) -> CameraState:
        """Take a picture, and count those of the stream for a second."""
        frame = self.snapshot(context)
        fps = self._stream().rate(context) if self.url else None
        return CameraState(online=True, width=frame.width, height=frame.height, fps=fps)

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Return the stream's pictures, or ask for single ones again and again."""
        if self.url:
            yield from self._stream().frames(context, until)
            return
        while time.monotonic() < until:
            yield self.snapshot(context)
            context.sleep(_PAUSE)

    def address(self) -> StreamAddress:
        """Return where the stream is."""
        if not self.url:
            raise Unsupported("this camera has no stream", hint="give the device its 'url'")
        return address_of(self.url)

    def _stream(self) -> LiveStream:
        if self._live is None or self._live.ended:
            self._live = LiveStream(self._source(self.url))
        return self._live

    def _source(self, url: str) -> Source:
        server, path = split_url(url)
        web = Web(
            url=server,
            limit=self.limit,
            user=self.user,
            password=self.password,
            auth=self.auth,
            ca=self.ca,
            insecure=self.insecure,
            largest=LARGEST,
        )
        return Source(web, path)
