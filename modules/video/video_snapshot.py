"""Take a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

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
from runner.modules.video import picture
from runner.modules.video.looking import online_snapshot
from runner.modules.video.regions import region_of, wrong_region


class Snapshot(Result):
    """The picture."""

    path: str
    """Where it was written; empty when it is among the artifacts."""
    file: str
    """Its name among the artifacts; empty when it was written to a path."""
    width: int
    height: int
    size: int
    """In bytes."""
    sha256: str
    online: bool | None
    """Whether there was a signal; nothing where the camera cannot tell."""


class VideoSnapshot(Module):
    """Take a picture, and put it among the artifacts or where the recipe says.

    The picture is taken now: never one that was taken before the step. As JPEG and whole it is
    kept as the camera gave it; anything else needs Pillow on the bench's host.

    Example::

        - video_snapshot: {file: after-boot.jpg, wait_online: 20s}
        - video_snapshot: {path: refs/desktop.png, crop: [0, 0, 800, 64]}
    """

    reads_only = True
    limited_by = "wait_online"

    path: TargetPath | None = arg(
        default=None, primary=True, help="where it is written on the machine that runs runner"
    )
    file: str = arg(default="snapshot.jpg", help="its name among the artifacts, without a path")
    format: Literal["auto", "jpeg", "png"] = arg(default="auto", help="auto: as the name ends, or else JPEG")
    crop: list[int] = arg(default=[], help="the part that is kept: x, y, width, height, in pixels")
    wait_online: Duration | None = arg(
        default=None, help="how long to wait for a signal; left out, a picture without one is fine"
    )
    camera: Video = device(help="the camera")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse what is no part of a picture."""
        if wrong := wrong_region(given.get("crop") or ()):
            yield Misfit("crop", wrong, "write [x, y, width, height]")

    def run(self, context: Context) -> Snapshot:
        """Take it."""
        frame = self._frame(context)
        name = str(self.path or self.file)
        as_png = self.format == "png" or (self.format == "auto" and name.lower().endswith(".png"))
        data, width, height = frame.jpeg, frame.width, frame.height
        if as_png or self.crop:
            with picture.opened(frame.jpeg, "the camera's picture", LabError) as whole:
                part = picture.cropped(whole, region_of(self.crop), "crop")
                data, (width, height) = picture.encoded(part, "PNG" if as_png else "JPEG"), part.size
        keep = Keep(to=self.path) if self.path else None
        context.artifact(Path(name).name, data, keep)
        return Snapshot(
            path=str(self.path or ""),
            file="" if self.path else self.file,
            width=width,
            height=height,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            online=frame.online,
        )

    def _frame(self, context: Context) -> Frame:
        if self.wait_online is None:
            return self.camera.snapshot(context)
        return online_snapshot(
            self.camera, self.wait_online, context, context.devices.get("camera", "camera")
        )
