"""Give a removable medium to the host or to the board."""

from __future__ import annotations

from runner.api import Context, Duration, Module, MuxPosition, Result, arg, device
from runner.api import StorageMux as Switch
from runner.modules.storage.mux_moves import Mux


class Moved(Result):
    """Who has the medium."""

    position: MuxPosition
    previous: MuxPosition | None
    """Who had it before; None where the mux cannot tell."""


class StorageMux(Module):
    """Give the medium of a storage mux to the host, to the board, or to neither.

    A mux that reads as wanted already is not switched; one that cannot be read always is.

    Example::

        - storage_mux: host
        - flash: "{{ image }}"
        - storage_mux: {position: dut, device: sdwire}
    """

    position: MuxPosition = arg(
        primary=True, help="host: the machine that the mux is plugged into; dut: the board; off: neither"
    )
    confirm: bool = arg(default=True, help="read the mux back, if it can be read")
    within: Duration = arg(default=Duration("5s"), help="how long the mux may take to read as wanted")
    mux: Switch = device(help="the mux")

    def run(self, context: Context) -> Moved:
        """Switch it, unless it is there already, and read it back."""
        mux = Mux(self.mux, context)
        previous = mux.position()
        if previous != self.position:
            mux.move(self.position)
            if previous is not None and self.confirm:
                mux.confirm(self.position, self.within)
        return Moved(position=self.position, previous=previous)

    def predict(self, context: Context) -> str:
        """Read the mux, and say whether this would change anything."""
        mux = Mux(self.mux, context)
        position = mux.position()
        if position == self.position:
            return f"{mux.name} is at {position!r} already: nothing would change"
        reads = f"it is at {position!r}" if position else "its position cannot be read"
        return f"would switch {mux.name} to {self.position!r}: {reads}"
