"""A camera that shows pictures of the inventory."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from runner.api import (
    CameraState,
    Context,
    Driver,
    Duration,
    FilePath,
    Frame,
    LabError,
    StreamAddress,
    Unsupported,
    Video,
    arg,
)
from runner.modules.video.jpeg import size_of


class Pictures(Driver, Video):
    """A simulated camera, which shows JPEG files one after the other, for trying recipes without hardware.

    Each picture that is asked for is the next one; the last one stays. With `every` they change by
    time instead, from the first step on. An empty `files` is a camera without a signal.

    Example::

        devices:
          screen: {driver: pictures, files: [booting.jpg, booting.jpg, desktop.jpg]}
    """

    simulated = True
    private = True

    files: list[FilePath] = arg(primary=True, help="JPEG files, in the order in which they are shown")
    every: Duration | None = arg(
        default=None, help="how long each is shown; left out: until it was asked for"
    )
    repeat: bool = arg(default=False, help="whether the first one follows the last")
    fps: float = arg(default=10.0, help="pictures a second while it is recorded", minimum=0.1, maximum=1000)

    def open(self) -> None:
        """Read the files; raise LabError for one that is no JPEG."""
        self._shown = [self._read(path) for path in self.files]
        self._asked = 0
        self._began = time.monotonic()

    def snapshot(self, context: Context) -> Frame:
        """Show the next one, or whose time it is."""
        del context
        number, self._asked = self._asked, self._asked + 1
        if self.every is not None:
            number = int((time.monotonic() - self._began) / max(self.every, 1e-3))
        return self._at(number)

    def state(self, context: Context) -> CameraState:
        """Tell of the picture that would be shown; it stays the next one."""
        del context
        if not self._shown:
            return CameraState(online=False, fps=0.0, desired_fps=self.fps)
        frame = self._at(self._asked)
        return CameraState(
            online=True, width=frame.width, height=frame.height, fps=self.fps, desired_fps=self.fps
        )

    def frames(self, context: Context, until: float) -> Generator[Frame, None, None]:
        """Show them at the rate of `fps`."""
        while time.monotonic() < until:
            yield self.snapshot(context)
            context.sleep(1 / self.fps)

    def address(self) -> StreamAddress:
        """Refuse: nobody serves them."""
        raise Unsupported("a simulated camera has no stream")

    def _at(self, number: int) -> Frame:
        if not self._shown:
            raise LabError("the simulated camera shows nothing: 'files' is empty")
        last = len(self._shown) - 1
        jpeg, width, height = self._shown[number % (last + 1) if self.repeat else min(number, last)]
        return Frame(jpeg=jpeg, width=width, height=height, time=time.monotonic(), online=True)

    def _read(self, path: str) -> tuple[bytes, int, int]:
        try:
            jpeg = Path(path).read_bytes()
            return (jpeg, *size_of(jpeg))
        except OSError as error:
            raise LabError(f"cannot read the picture {path!r}: {error.strerror}") from error
        except ValueError as error:
            raise LabError(
                f"cannot show {path!r}: {error}", hint="a simulated camera shows JPEG files, as a real one"
            ) from error
