"""A simulated Raspberry Pi 4 on a bench with everything: for trying whole acceptance tests."""

from __future__ import annotations

from runner.api import Driver, Needs, Options, Size, arg, child
from runner.api.image import Image
from runner.console import ConsoleSettings
from runner.modules.sim.cameras import Camera, CameraFault, Grabber, GrabberFault
from runner.modules.sim.card import Card, CardFault, Slot
from runner.modules.sim.options import Faults, Firmware, System
from runner.modules.sim.played import Played
from runner.modules.sim.tpm import Tpm, TpmFault


class InstrumentFaults(Options):
    """What goes wrong with what hangs at the board, on purpose."""

    tpm: TpmFault = arg(
        default="works",
        help="absent: it has none; broken: it refuses every command; signs_wrongly: with status 0",
    )
    card: CardFault = arg(
        default="works",
        help="absent: none is in; stuck: the mux stays where it is; refuses: the mux does not answer; "
        "forgets: what was written is gone when the board gets it",
    )
    hdmi: GrabberFault = arg(default="works", help="what the grabber on its screen shows")
    camera: CameraFault = arg(default="works", help="what the camera above it shows")


class SimRpi4(Played, Driver):
    """A Raspberry Pi 4 that is played by a program, with the instruments of a whole bench.

    Its card is behind a mux, its Linux has a TPM 2.0 and the tools for it, a grabber hangs on its
    HDMI and a camera looks at its lamps. The version number in the first line of what is on the
    card is the release of the kernel that boots; the first start of a card grows it and restarts.
    Its pictures are drawn with Pillow. Its TPM refuses what a real one refuses, but its
    signatures are not RSA.

    Example::

        devices:
          pi: {driver: sim_rpi4, instruments: {tpm: signs_wrongly}}
          power: {ref: pi.power}
          console: {ref: pi.console}
          storage: {ref: pi.storage}
          hdmi: {ref: pi.hdmi}
          camera: {ref: pi.camera}
    """

    simulated = True
    private = True

    image: str = arg(default="", help="the file behind its card, on the host; empty: a temporary one")
    capacity: Size = arg(default=Size("16MiB"), help="how much its card holds; a larger file stays as it is")
    firmware: Firmware = arg(default=Firmware(), help="its boot loader")
    system: System = arg(default=System(hostname="raspberrypi", first_boot=True), help="its Linux")
    faults: Faults = arg(default=Faults(), help="what goes wrong with the board, on purpose")
    instruments: InstrumentFaults = arg(
        default=InstrumentFaults(), help="what goes wrong with what hangs at it, on purpose"
    )
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how its console is used")

    def needs(self) -> Needs:
        """Return the file of the card."""
        return Needs(nodes=(self.image,) if self.image else ())

    def open(self) -> None:
        """Put it together; raise LabError when the file of the card cannot be used."""
        from runner.modules.sim.board import Board

        self._image = Image(self.image, self.capacity)
        self._image.open()
        self._card = Card(self._image, self.instruments.card)
        board = Board(
            Slot(self._image, self._card),
            firmware=self.firmware,
            system=self.system,
            faults=self.faults,
            tpm=Tpm(self.instruments.tpm),
        )
        self.play(board, self.faults)
        self._grabber = Grabber(self._live, self.instruments.hdmi)
        self._camera = Camera(self._live, self.instruments.camera)

    def close(self) -> None:
        """Take the power away and close the card."""
        self.end()
        self._image.close()

    @child
    def storage(self) -> Card:
        """Its card, behind a mux."""
        return self._card

    @child
    def hdmi(self) -> Grabber:
        """Its screen, as a frame grabber sees it."""
        return self._grabber

    @child
    def camera(self) -> Camera:
        """Its lamps, as a camera above it sees them."""
        return self._camera
