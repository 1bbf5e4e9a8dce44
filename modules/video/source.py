"""A camera's web server: single pictures, and the stream of them."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from runner.api import Context, Frame, LabError, StreamAddress, Unreachable
from runner.api.web import Answer, Web
from runner.modules.video.jpeg import size_of
from runner.modules.video.multipart import Part, Parts, boundary_of

_READ = 64 * 1024
LARGEST = 16 * 2**20
"""Bytes of a picture."""


_PORTS = {"http": 80, "https": 443, "rtsp": 554}


def wrong_url(url: str, schemes: Sequence[str] = ("http", "https")) -> str:
    """Say why a camera cannot have this URL; empty when it can.

    >>> wrong_url("http://10.0.0.9/snapshot.jpg?size=2"), wrong_url("10.0.0.9")
    ('', "'10.0.0.9' is no URL of a camera: write http://ADDRESS/PATH")
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"{url!r}: {error}"
    if parts.scheme not in schemes or not parts.hostname:
        return f"{url!r} is no URL of a camera: write {schemes[0]}://ADDRESS/PATH"
    if "@" in parts.netloc:
        return "who one is does not belong into a URL: write user and password"
    return ""


def split_url(url: str) -> tuple[str, str]:
    """Return a server's URL, and the path with its query.

    >>> split_url("http://10.0.0.9:8080/a?b=1")
    ('http://10.0.0.9:8080', '/a?b=1')
    """
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}", (parts.path or "/") + query


def address_of(url: str) -> StreamAddress:
    """Return where a stream is.

    >>> address_of("rtsp://[::1]/live?channel=1")
    StreamAddress(to='[::1]:554', path='/live?channel=1', scheme='rtsp')
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return StreamAddress(
        to=f"{host}:{parts.port or _PORTS[parts.scheme]}", path=split_url(url)[1], scheme=parts.scheme
    )


def frame_of(url: str, jpeg: bytes, when: float, online: bool | None = None) -> Frame:
    """Make a picture of what came; raise LabError, which names the camera's URL, when it is none."""
    try:
        width, height = size_of(jpeg)
    except ValueError as error:
        raise LabError(
            f"{url} gives no picture: {error}", evidence={"url": url, "bytes": len(jpeg)}
        ) from error
    return Frame(jpeg=jpeg, width=width, height=height, time=when, online=online)


@dataclass(frozen=True)
class Source:
    """One path of a server."""

    web: Web
    path: str

    @property
    def url(self) -> str:
        """Where it is, for messages."""
        return self.web.url + self.path

    def answer(self, context: Context) -> Answer:
        """Ask once; raise LabError, and Cancelled when the step is stopped meanwhile."""
        with self._cancelled_with(context):
            return self.web.fetch("GET", self.path)

    def picture(self, context: Context) -> tuple[Frame, Mapping[str, str]]:
        """Ask for a picture; return it with the headers of the answer."""
        answer = self.answer(context)
        return self.frame(answer.body, time.monotonic()), answer.headers

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Return the pictures of the stream as they come, for so long."""
        with self._cancelled_with(context):
            try:
                for part in self.parts(until):
                    context.check_cancelled()
                    if time.monotonic() > until:
                        return
                    yield self.frame(part.content, time.monotonic())
            except Unreachable:
                if time.monotonic() < until:
                    raise

    def parts(self, until: float = math.inf) -> Iterator[Part]:
        """Return the parts of the stream as they come; raise LabError when it ends.

        After `until` it is Unreachable where nothing comes.
        """
        with self.web.streamed(self.path) as response:
            try:
                parts = Parts(boundary_of(response.headers.get("Content-Type", "")))
                while not parts.ended:
                    self.web.wait_at_most(until - time.monotonic())
                    now = self._idle_since()
                    data = response.read1(_READ)
                    if not data:
                        break
                    yield from parts.feed(data, now)
            except ValueError as error:
                raise LabError(f"{self.url}: {error}", evidence={"url": self.url}) from error
        raise LabError(f"{self.url}: the stream has ended", evidence={"url": self.url})

    def frame(self, jpeg: bytes, when: float, online: bool | None = None) -> Frame:
        """Make a picture of what came; raise LabError when it is none."""
        return frame_of(self.url, jpeg, when, online)

    def abort(self) -> None:
        """Have whoever waits for a picture get an error at once; safe from any thread."""
        self.web.abort()

    def _idle_since(self) -> float:
        """Return a time before all that is read next came, or 0: it may have waited for long."""
        now = time.monotonic()
        return now if self.web.idle else 0.0

    @contextmanager
    def _cancelled_with(self, context: Context) -> Iterator[None]:
        """End the request when the step is stopped."""
        take_back = context.on_cancel(self.web.abort)
        try:
            context.check_cancelled()  # nothing was under way that could have been ended
            yield
        except LabError:
            context.check_cancelled()
            raise
        finally:
            take_back()
