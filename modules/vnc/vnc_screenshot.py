"""Take a picture of a screen over VNC."""

from __future__ import annotations

from pathlib import Path

from runner.api import Context, Duration, Keep, Module, Result, TargetPath, arg, device
from runner.api.display import Display
from runner.modules.vnc.sessions import session


class Shot(Result):
    """The picture."""

    path: str
    width: int
    height: int
    colours: int
    """How many different ones there are; 1: the screen is empty."""
    size: int
    """Of the file, in bytes."""
    name: str
    """What the server calls itself."""


class VncScreenshot(Module):
    """Take a picture (PNG) of what a VNC server shows.

    Example::

        - vnc_screenshot:
          expect: result.colours > 1
        - vnc_screenshot: {to: results/login.png, device: screen}
    """

    reads_only = True
    limited_by = "timeout"

    to: TargetPath | None = arg(
        default=None, primary=True, help="the file to write; left out: in the run's artifacts"
    )
    timeout: Duration = arg(default=Duration("20s"), help="how long connecting, and the picture, may take")
    display: Display = device(help="the VNC server")

    def run(self, context: Context) -> Shot:
        """Take it, and hand it over."""
        server = session(self.display, self.timeout)
        picture = server.picture(self.timeout)
        name = Path(self.to).name if self.to else f"{context.devices.get('display', 'display')}.png"
        kept = context.artifact(name, picture.png(), Keep(to=self.to, parents=True) if self.to else None)
        return Shot(
            path=str(self.to or name),
            width=picture.width,
            height=picture.height,
            colours=picture.colours,
            size=kept.size,
            name=server.name,
        )
