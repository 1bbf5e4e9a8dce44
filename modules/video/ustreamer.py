"""A camera or grabber of the host, served by the program ustreamer."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable, Mapping
from typing import Any, Union
from urllib.parse import urlsplit

from runner.api import (
    CameraState,
    Context,
    Driver,
    Duration,
    Frame,
    LabError,
    Misfit,
    Needs,
    Secret,
    StreamAddress,
    Unreachable,
    Video,
    arg,
)
from runner.api.web import Answer, Web
from runner.modules.video.source import LARGEST, Source, wrong_url
from runner.modules.video.ustreamer_process import UstreamerProcess

_OURS = frozenset({"unix", "unix-rm", "host", "port", "help", "version"})
_SECRET = frozenset({"user", "passwd"})
_ASKS_EVERY = 0.02
_SENT = "x-ustreamer-send-timestamp"
_GRABBED = ("x-ustreamer-grab-timestamp", "x-ustreamer-grab-begin-timestamp")
"""The second since ustreamer 6."""


class Ustreamer(Driver, Video):
    """A camera or HDMI grabber of the host (V4L2), served by the program ustreamer.

    It is started with the first step that needs it, on a Unix socket, and ended with the run. With
    `url` one that runs already is used instead. A picture is one that the camera took after it was
    asked for: ustreamer says when it took which (headers X-UStreamer-…-Timestamp). Without a signal
    it shows "no signal", and is not `online`. Tested with ustreamer 4.9, without a camera and on
    an emulated one (vivid); the options are those of ``ustreamer --help``.

    Example::

        devices:
          screen:
            driver: ustreamer
            options: {device: /dev/video0, resolution: 1920x1080, format: UYVY, persistent: null}
          other: {driver: ustreamer, url: "http://10.0.0.7:8080"}
    """

    unconfined = True

    options: dict[str, Union[str, int, float, None]] = arg(
        default={}, help="its options by their long names; null for one without a value"
    )
    executable: str = arg(default="ustreamer", help="the program; a path, or a name on PATH")
    url: str = arg(default="", help="one that runs already: http://ADDRESS:PORT; nothing is started then")
    user: str = arg(default="", help="who the one at `url` asks for")
    password: Secret = arg(default=Secret(), help="the user's password")
    limit: Duration = arg(default=Duration("10s"), help="how long it may take to start, and to answer")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse options that the driver sets, and a URL that it cannot use."""
        options = given.get("options") or {}
        if options and given.get("url"):
            yield Misfit("options", "what is at 'url' runs already", "leave out 'options' or 'url'")
        for name in options:
            if wrong := _wrong_option(name):
                yield Misfit(f"options.{name}", wrong)
        if given.get("url") and (wrong := wrong_url(given["url"])):
            yield Misfit("url", wrong)
        elif given.get("url") and (urlsplit(given["url"]).path.strip("/") or urlsplit(given["url"]).query):
            yield Misfit("url", "only the server's address: the driver knows the paths")

    def needs(self) -> Needs:
        """Return the program and its camera, or the server."""
        if self.url:
            return Needs(nodes=(self.url,))
        camera = str(self.options.get("device", "/dev/video0"))
        return Needs(nodes=(camera,), programs={self.executable: "ustreamer"})

    def open(self) -> None:
        """Start it, unless it is there already."""
        self._process: UstreamerProcess | None = None
        if not self.url:
            self._process = UstreamerProcess(self.executable, arguments(self.options), self.limit)
        self._web = self._connection()

    def close(self) -> None:
        """End the connection, and what was started."""
        self._web.close()
        if self._process is not None:
            self._process.close()

    def snapshot(self, context: Context) -> Frame:
        """Ask for pictures until one was taken after the first was sent; without a signal take the first."""
        source = Source(self._web, "/snapshot")
        until, asked = time.monotonic() + self.limit, None
        while True:
            answer = self._asked(source, context)
            online = answer.headers.get("x-ustreamer-online")
            if online not in {"true", "false"}:
                raise LabError(f"{source.url} is not ustreamer's: no header X-UStreamer-Online")
            frame = source.frame(answer.body, time.monotonic(), online == "true")
            asked = self._stamp(source, answer, _SENT) if asked is None else asked
            if not frame.online or self._stamp(source, answer, *_GRABBED) >= asked:
                return frame
            if time.monotonic() > until:
                raise Unreachable(
                    f"ustreamer has given no new picture within {self.limit}",
                    evidence={"limit": float(self.limit)},
                    hint="a slow camera gets more time by the device's option 'limit'",
                )
            context.sleep(_ASKS_EVERY)

    def state(self, context: Context) -> CameraState:
        """Ask ``/state``."""
        source = Source(self._web, "/state")
        answer = self._asked(source, context)
        try:
            return state_of(json.loads(answer.body))
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(
                f"{source.url} does not tell a state of ustreamer: {error!r}",
                evidence={"answer": answer.text[:1000]},
            ) from error

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Return the pictures of ``/stream``, by a connection of its own."""
        self._check()
        source = Source(self._connection(), "/stream")
        try:
            yield from source.frames(context, until)
        except LabError:
            self._check()
            raise

    def address(self) -> StreamAddress:
        """Return its socket, or the address of the one that was there."""
        if self._process is not None:
            return StreamAddress(to=self._process.socket, path="/stream")
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        return StreamAddress(to=f"{host}:{port}", path="/stream", scheme=parts.scheme)

    def _asked(self, source: Source, context: Context) -> Answer:
        """Ask once; when it has ended, say that with its words."""
        self._check()
        try:
            return source.answer(context)
        except LabError:
            self._check()
            raise

    def _check(self) -> None:
        if self._process is not None:
            self._process.check()

    def _connection(self) -> Web:
        return Web(
            url=self.url.rstrip("/") or "http://localhost",
            limit=self.limit,
            user=self.user,
            password=self.password,
            socket=self._process.socket if self._process is not None else "",
            largest=LARGEST,
        )

    def _stamp(self, source: Source, answer: Answer, *names: str) -> float:
        for name in names:
            if name in answer.headers:
                return float(answer.headers[name])
        raise LabError(f"{source.url} does not say when the picture was taken: no header {names[0]}")


def arguments(options: Mapping[str, str | int | float | None]) -> list[str]:
    """Return the options as ustreamer takes them.

    >>> arguments({"resolution": "1280x720", "persistent": None})
    ['--resolution', '1280x720', '--persistent']
    """
    return [
        word
        for name, value in options.items()
        for word in ((f"--{name}",) if value is None else (f"--{name}", str(value)))
    ]


def state_of(answer: Mapping[str, Any]) -> CameraState:
    """Read what ``/state`` answers; raise KeyError and the like for anything else."""
    result = answer["result"]
    source, encoder = result["source"], result["encoder"]
    return CameraState(
        online=bool(source["online"]),
        width=int(source["resolution"]["width"]),
        height=int(source["resolution"]["height"]),
        fps=float(source["captured_fps"]),
        desired_fps=float(source["desired_fps"]),
        encoder=str(encoder["type"]),
        quality=int(encoder["quality"]),
    )


def _wrong_option(name: str) -> str:
    if name in _OURS:
        return f"{name!r} is set by the driver"
    if name in _SECRET:
        return f"{name!r} would show in the list of processes, and nobody but this user reaches the socket"
    if name.startswith("-") or not name.replace("-", "").isalnum():
        return f"{name!r} is no long name of an option: write 'resolution', say"
    return ""
