"""A simulated board for any bench: to learn with, and to test recipes and the runner itself."""

from __future__ import annotations

from runner.api import Driver, Needs, Size, arg, child
from runner.api.image import Image
from runner.console import ConsoleSettings
from runner.modules.sim.ecu import SimulatedBus
from runner.modules.sim.options import Faults, Firmware, System
from runner.modules.sim.played import Played


class Sim(Played, Driver):
    """A board that is played by a program: boot loader, Linux, medium, CAN and power.

    It boots SPL, U-Boot and Linux from its medium, and needs no hardware. The version number in
    the first line of what is flashed is the release of the kernel that boots next. A control unit
    on its CAN bus answers 0x123 with 0x456. With `faults` it goes wrong on purpose.

    Example::

        devices:
          board: {driver: sim, system: {password: secret}, faults: {printk_every: 200ms}}
    """

    simulated = True
    private = True

    image: str = arg(default="", help="the file behind its medium, on the host; empty: a temporary one")
    capacity: Size = arg(
        default=Size("16MiB"), help="how much its medium holds; a larger file stays as it is"
    )
    powered: bool = arg(default=False, help="whether it has power when the bench is opened")
    firmware: Firmware = arg(default=Firmware(), help="its boot loader")
    system: System = arg(default=System(), help="its Linux")
    faults: Faults = arg(default=Faults(), help="what goes wrong with it, on purpose")
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how its console is used")

    def needs(self) -> Needs:
        """Return the file of the medium."""
        return Needs(nodes=(self.image,) if self.image else ())

    def open(self) -> None:
        """Put it together; raise LabError when the file of the medium cannot be used."""
        from runner.modules.sim.board import Board
        from runner.modules.sim.hardware import RELEASE

        self._medium = Image(self.image, self.capacity)
        self._medium.open()
        if not self._medium.read(0, 1).strip(b"\0"):
            self._medium.write(0, f"SIMOS {RELEASE}\n".encode())
        board = Board(self._medium, firmware=self.firmware, system=self.system, faults=self.faults)
        self._bus = SimulatedBus()
        self.play(board, self.faults, powered=self.powered)

    def close(self) -> None:
        """Take the power away and close the medium."""
        self._bus.work.close()
        self.end()
        self._medium.close()

    @child
    def storage(self) -> Image:
        """Its medium."""
        return self._medium

    @child
    def can(self) -> SimulatedBus:
        """Its CAN bus."""
        return self._bus
