"""A card of a simulated board behind a mux, and what goes wrong with both."""

from __future__ import annotations

from typing import Literal

from runner.api import LabError, MuxPosition, StorageMux, Unreachable
from runner.api.image import Image
from runner.api.medium import there

CardFault = Literal["works", "absent", "stuck", "refuses", "forgets"]


class Card(StorageMux):
    """A card that the host or the board has, never both; the board finds none while the host has it."""

    def __init__(self, image: Image, fault: CardFault) -> None:
        """Take what is on it; the board has it."""
        self._image = image
        self.fault = fault
        """What goes wrong with it from now on."""
        self._position: MuxPosition = "dut"

    def switch(self, position: MuxPosition) -> None:
        """Give it to one side."""
        if self.fault == "refuses":
            raise LabError("the simulated mux does not answer")
        if self.fault == "stuck":
            return
        if self.fault == "forgets" and (self._position, position) == ("host", "dut"):
            self._image.write(0, bytes(512))
        self._position = position

    def position(self) -> MuxPosition:
        """Read who has it."""
        return self._position

    def medium(self) -> str:
        """Return the path of what is on it; raise Unreachable while the host does not have it."""
        if self._position != "host" or self.fault == "absent":
            raise Unreachable("the reader of the simulated mux is empty")
        return there(self._image.path)

    def label(self) -> str:
        """Return what it is."""
        return "the simulated board's card"


class Slot:
    """The board's side: what is in its slot."""

    def __init__(self, image: Image, card: Card) -> None:
        """Take the card that may be in it."""
        self._image = image
        self._card = card

    def size(self) -> int:
        """Return how many bytes it holds; 0 for an empty slot."""
        return int(self._image.size() or 0) if self._filled else 0

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes; none from an empty slot."""
        return self._image.read(offset, length) if self._filled else b""

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data`; into an empty slot it is lost."""
        if self._filled:
            self._image.write(offset, data)

    @property
    def _filled(self) -> bool:
        return self._card.position() == "dut" and self._card.fault != "absent"
