"""Take a picture of the screen of a virtual machine."""

from __future__ import annotations

from pathlib import Path

from runner.api import Context, Keep, Machine, Module, Result, TargetPath, arg, device


class ScreenDumped(Result):
    """The picture."""

    path: str
    width: int
    height: int
    colours: int
    """How many different ones there are; 1: the screen is empty."""
    size: int
    """Of the file, in bytes."""


class VmScreendump(Module):
    """Take a picture (PNG) of what a virtual machine shows, from inside: no VNC is needed.

    Example::

        - vm_screendump:
          expect: result.width == 720 and result.colours > 1
        - vm_screendump: results/boot.png
    """

    reads_only = True

    to: TargetPath | None = arg(
        default=None, primary=True, help="the file to write; left out: in the run's artifacts"
    )
    vm: Machine = device(help="the virtual machine")

    def run(self, context: Context) -> ScreenDumped:
        """Take it, and hand it over."""
        picture = self.vm.screendump()
        name = Path(self.to).name if self.to else f"{context.devices.get('vm', 'vm')}.png"
        kept = context.artifact(name, picture.png(), Keep(to=self.to, parents=True) if self.to else None)
        return ScreenDumped(
            path=str(self.to or name),
            width=picture.width,
            height=picture.height,
            colours=picture.colours,
            size=kept.size,
        )
