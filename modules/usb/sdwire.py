"""SDWire, a mux for SD cards: an FT200X whose pin CBUS0 is the switch, and a card reader, on one hub.

The requests are those of FTDI's bit-bang mode (AN_232B-01, and libftdi's `ftdi_set_bitmode`,
`ftdi_read_pins`), with the mask of the pins in the upper half of the byte.
"""

from __future__ import annotations

from runner.api import Driver, Duration, MuxPosition, Needs, StorageMux, Unsupported, arg
from runner.api.medium import there
from runner.modules.usb.attached import Attached, attached, the_one
from runner.modules.usb.block_devices import disk_beside
from runner.modules.usb.device import NEEDED, Device

_PROGRAMMED = (0x04E8, 0x6001)
_FACTORY = (0x0403, 0x6015)
_NAME = "sd-wire"
_TO_DEVICE, _FROM_DEVICE = 0x40, 0xC0
_SET_BITMODE, _READ_PINS = 0x0B, 0x0C
_CBUS: dict[MuxPosition, int] = {"host": 0x20F1, "dut": 0x20F0}
"""Mode 0x20: CBUS bit-bang; 0xF_: all four pins are outputs; the last bit is CBUS0."""


class Sdwire(Driver, StorageMux):
    """An SDWire: it gives an SD card to the host or to the board, and can be read.

    A unit with FTDI's own numbers, 0403:6015, is found by its serial only, and its CBUS0 must have
    been made a GPIO in its EEPROM once. There is no position `off`. Not tried with the hardware itself.

    Example::

        devices:
          card: {driver: sdwire, serial: sdw-07}
    """

    serial: str = arg(
        default="", primary=True, help="its serial number; not needed for the only one of a host"
    )
    storage_device: str = arg(
        default="", help="the block device of its reader; empty: the disk on the same hub"
    )
    limit: Duration = arg(default=Duration("5s"), help="how long it may take to answer")

    def needs(self) -> Needs:
        """Return libusb and, when it is named, the block device."""
        return Needs(libraries=NEEDED, nodes=(self.storage_device,) if self.storage_device else ())

    def open(self) -> None:
        """Find it; raise LabError when it is not there or there are several."""
        found = the_one(self._units(), "SDWire", serial=self.serial)
        self._device = Device(found, f"SDWire {found.short}", self.limit)

    def close(self) -> None:
        """Let go of it; the card stays where it is."""
        self._device.close()

    def switch(self, position: MuxPosition) -> None:
        """Give the card to one side."""
        if position not in _CBUS:
            raise Unsupported("an SDWire has no position 'off'", hint="'host' keeps the card from the board")
        self._device.send(_TO_DEVICE, _SET_BITMODE, _CBUS[position], 0)

    def position(self) -> MuxPosition:
        """Read the pin that switches."""
        pins = self._device.ask(_FROM_DEVICE, _READ_PINS, 0, 0, 1)
        if len(pins) != 1:
            raise self._device.wrong(pins, "the state of its pins")
        return "host" if pins[0] & 1 else "dut"

    def medium(self) -> str:
        """Return the path of the card; raise Unreachable while it is not there."""
        path = self.storage_device or disk_beside(self._device.found, self._device.name, "storage_device")
        return there(path)

    def label(self) -> str:
        """Return its serial number."""
        return self._device.name

    def _units(self) -> list[Attached]:
        programmed = [each for each in attached([_PROGRAMMED]) if each.name == _NAME]
        factory = attached([_FACTORY]) if self.serial else []
        return programmed + [each for each in factory if each.serial == self.serial]
