"""Take a picture that shows what is in front of the camera, not that there is no signal."""

from __future__ import annotations

import time

from runner.api import Context, Duration, Failed, Frame, Video

_LOOKS_EVERY = 0.1


def online_snapshot(camera: Video, within: Duration, context: Context, name: str) -> Frame:
    """Return a picture as soon as the camera has a signal; raise Failed when it has none in time."""
    until = time.monotonic() + within
    while (frame := camera.snapshot(context)).online is False:
        if time.monotonic() >= until:
            raise Failed(
                f"{name!r} has no signal" + (f", not within {within}" if within else ""),
                evidence={"online": False, "within": float(within)},
                hint="is the screen on, and the cable in?",
            )
        context.sleep(_LOOKS_EVERY)
    return frame
