"""Ask a camera how it is."""

from __future__ import annotations

import time

from runner.api import CameraState, Context, Duration, Failed, Module, Options, Video, arg, device

_ASKS_EVERY = 0.1


class Expected(Options):
    """What a camera must be."""

    online: bool | None = arg(default=None, help="whether it has a signal")
    width: int | None = arg(default=None, help="pixels in a row", minimum=1)
    height: int | None = arg(default=None, help="rows", minimum=1)
    min_fps: float | None = arg(default=None, help="pictures a second, at least", minimum=0)


class VideoState(Module):
    """Ask a camera how it is, and compare.

    Example::

        - video_state:
          measure: {rate: {value: result.fps, min: 25}}
        - video_state: {expect: {online: true, width: 1920, height: 1080}, within: 20s}
    """

    limited_by = "within"

    expect: Expected = arg(default=Expected(), help="what it must be; all of it at once")
    within: Duration = arg(default=Duration(0), help="how long it may take until it is so")
    camera: Video = device(help="the camera")

    def run(self, context: Context) -> CameraState:
        """Ask until it is as expected."""
        until = time.monotonic() + self.within
        while True:
            found = self.camera.state(context)
            wrong = wrong_in(found, self.expect)
            if not wrong:
                return found
            if time.monotonic() >= until:
                name = context.devices.get("camera", "camera")
                raise Failed(
                    f"{name!r} {'; '.join(wrong)}" + (f", within {self.within}" if self.within else ""),
                    evidence={"wrong": wrong, "within": float(self.within)},
                    result=found,
                )
            context.sleep(_ASKS_EVERY)

    def predict(self, context: Context) -> str:
        """Ask once: what other steps bring about is not there yet."""
        wrong = wrong_in(self.camera.state(context), self.expect)
        return f"would ask until it is so: now it {'; '.join(wrong)}" if wrong else "it is as it must be"


def wrong_in(found: CameraState, expected: Expected) -> list[str]:
    """Say what is not as it must be, with both sides.

    >>> wrong_in(CameraState(online=False, width=640), Expected(online=True, width=1920))
    ['has no signal, expected one', 'has a width of 640, expected 1920']
    """
    wrong = []
    if expected.online is not None and found.online != expected.online:
        wrong.append("has no signal, expected one" if expected.online else "has a signal, expected none")
    for name in ("width", "height"):
        actual, wanted = getattr(found, name), getattr(expected, name)
        if wanted is not None and actual != wanted:
            wrong.append(f"has a {name} of {actual}, expected {wanted}")
    if expected.min_fps is not None and (found.fps or 0) < expected.min_fps:
        wrong.append(f"takes {found.fps} pictures a second, expected at least {expected.min_fps:g}")
    return wrong
