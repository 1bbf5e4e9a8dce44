"""Record a film."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Literal

from runner.api import (
    Context,
    Duration,
    Frame,
    Keep,
    LabError,
    Misfit,
    Module,
    Result,
    TargetPath,
    Video,
    arg,
    device,
)
from runner.modules.video.avi import LARGEST, Avi

_FORMATS = (".avi", ".mjpeg", ".mjpg")


class Recorded(Result):
    """The film."""

    path: str
    """Where it was written; empty when it is among the artifacts."""
    file: str
    """Its name among the artifacts; empty when it was written to a path."""
    frames: int
    elapsed: Duration
    """From the first picture to the last."""
    fps: float | None
    """Pictures a second; nothing for fewer than two."""
    size: int
    """In bytes."""
    ended: Literal["duration", "frames", "size"]
    """What ended it; `size`: 2 GB, more than some players read."""


class VideoRecord(Module):
    """Record a film: every picture that the camera gives, as it gives it.

    It is an AVI file of JPEG pictures, which VLC, ffmpeg and browsers' helpers play at the rate at which
    they came, or only the pictures, one after the other (`.mjpeg`). With `background` it goes on beside
    the steps that follow; when it is stopped, or the camera fails, what there is by then is kept. A step that
    is stopped has four seconds for sending it: let long films end by themselves, and `join` them.

    Example::

        - video_record: {file: boot.avi, duration: 60s}
          background: film
        - power_cycle:
        - stop: film
        - video_record: {path: out/blinking.avi, duration: 30s, frames: 100}
    """

    limited_by = "duration"

    duration: Duration = arg(default=Duration("10s"), primary=True, help="how long, at most")
    frames: int | None = arg(default=None, help="end after so many pictures", minimum=1)
    file: str = arg(default="film.avi", help="its name among the artifacts: .avi or .mjpeg")
    path: TargetPath | None = arg(
        default=None, help="where it is written on the machine that runs runner, instead"
    )
    camera: Video = device(help="the camera")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse formats that nobody asked us to know."""
        for name in ("file", "path"):
            if given.get(name) and not str(given[name]).lower().endswith(_FORMATS):
                yield Misfit(name, f"no film ends like {str(given[name])!r}", "write .avi or .mjpeg")

    def run(self, context: Context) -> Recorded:
        """Record it; keep what there is, also when it ends badly."""
        name = str(self.path or self.file)
        with tempfile.NamedTemporaryFile(prefix="runner-video-") as opened:
            film = Film(opened, packed=name.lower().endswith(".avi"))
            try:
                ended = self._take(film, context)
            finally:
                film.finish()
                if film.count:
                    context.artifact(
                        Path(name).name, Path(opened.name), Keep(to=self.path) if self.path else None
                    )
        if not film.count:
            raise LabError(
                f"no picture came within {self.duration}", evidence={"duration": float(self.duration)}
            )
        return Recorded(
            path=str(self.path or ""),
            file="" if self.path else self.file,
            frames=film.count,
            elapsed=Duration(film.elapsed),
            fps=film.fps,
            size=film.size,
            ended=ended,
        )

    def _take(self, film: Film, context: Context) -> Literal["duration", "frames", "size"]:
        with closing(self.camera.frames(context, time.monotonic() + self.duration)) as frames:
            for frame in frames:
                if film.size + len(frame.jpeg) > LARGEST:
                    return "size"
                film.add(frame)
                context.progress(film.count, self.frames, "pictures")
                if film.count == self.frames:
                    return "frames"
        return "duration"


class Film:
    """A film that is being written: with an index, or only pictures."""

    def __init__(self, file: IO[bytes], *, packed: bool) -> None:
        """Write to an empty file."""
        self._file = file
        self._avi = Avi(file) if packed else None
        self._first = self._last = 0.0
        self._bytes = 0
        self.count = 0

    @property
    def size(self) -> int:
        """In bytes."""
        return self._bytes if self._avi is None else self._avi.size

    @property
    def elapsed(self) -> float:
        """Seconds from the first picture to the last."""
        return self._last - self._first

    @property
    def fps(self) -> float | None:
        """Pictures a second; None for fewer than two."""
        return (self.count - 1) / self.elapsed if self.elapsed > 0 else None

    def add(self, frame: Frame) -> None:
        """Write one more."""
        self._first = self._first if self.count else frame.time
        self._last = frame.time
        self.count += 1
        self._bytes += len(frame.jpeg)
        if self._avi is None:
            self._file.write(frame.jpeg)
        else:
            self._avi.add(frame.jpeg, frame.width, frame.height)

    def finish(self) -> None:
        """Make it one that can be played."""
        if self._avi is not None:
            self._avi.finish(self.fps or 1.0)
        self._file.flush()
