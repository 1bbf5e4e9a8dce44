"""Tell where a camera's stream is."""

from __future__ import annotations

from runner.api import Context, Module, Result, Video, device


class Stream(Result):
    """Where the stream is."""

    to: str
    """What `port_forward` leads to: ``host:port``, or the path of a Unix socket."""
    path: str
    """What is asked for there: ``/stream``."""
    scheme: str
    """``http``, ``https`` or ``rtsp``."""
    url: str
    """As the bench's host reaches it; empty for a socket."""


class VideoStream(Module):
    """Tell where a camera's stream (MJPEG or RTSP) is, for watching it.

    The host of the bench reaches it there. `port_forward` brings it to the machine that runs
    `runner`, where a browser or a player opens it, until the test ends. RTSP needs a player that is
    told to use TCP.

    Example::

        - video_stream:
          register: stream
        - port_forward: "{{ stream.to }}"
          register: web
        - log: "watch http://{{ web.address }}{{ stream.path }}"
    """

    reads_only = True

    camera: Video = device(help="the camera")

    def run(self, context: Context) -> Stream:
        """Ask the driver."""
        del context
        found = self.camera.address()
        url = "" if found.to.startswith("/") else f"{found.scheme}://{found.to}{found.path}"
        return Stream(to=found.to, path=found.path, scheme=found.scheme, url=url)
