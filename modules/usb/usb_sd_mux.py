"""USB-SD-Mux of Linux Automation: an SD card between a reader and a board.

A USB2642 reads the card, and its second I2C bus leads to eight or four pins that switch: commands of
"I2C over USB" (Microchip, AN 50002283), pins as in the maker's program usbsdmux. That program's library
is not used: it does not look at the status of the host, so a mux that does not answer seems to be at `host`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.api import Driver, Duration, LabError, MuxPosition, Needs, StorageMux, arg
from runner.api.medium import there
from runner.modules.usb.attached import Attached, owner, text_of, the_one
from runner.modules.usb.block_devices import disk_of
from runner.modules.usb.scsi import ScsiDevice

_GENERIC = Path("/sys/class/scsi_generic")
_COMMAND, _WRITE, _WRITE_AND_READ = 0xCF, 0x23, 0x22
_DATA = 512
"""The library of Microchip sends and reads whole blocks, whatever part of them counts."""
_INPUTS, _OUTPUTS, _DIRECTIONS = 0, 1, 3
"""Registers of both chips (PCA9536 and TCA6408A, data sheets, "Register descriptions")."""
_ALL_INPUTS = 0xFF


@dataclass(frozen=True)
class _Pins:
    """How a model is wired: the chip's address on I2C, and what its pins do when they are high."""

    address: int
    no_data: int
    no_power: int
    to_board: int
    no_card: int
    others: int = 0
    """Pins that are not ours; they keep what they have."""


_MODELS = {
    "sdmux HS-SD/MMC": _Pins(0x41, no_data=1, no_power=2, to_board=4, no_card=8),
    "sdFST HS-SD/MMC": _Pins(0x20, no_data=4, no_power=2, to_board=1, no_card=8, others=0x30),
}


class UsbSdMux(Driver, StorageMux):
    """A USB-SD-Mux, classic or fast: it gives an SD card to the host, to the board, or to neither.

    The card is without power between two positions. Not tried with the hardware itself.

    Example::

        devices:
          card: {driver: usb_sd_mux, serial: "00048.00717"}
    """

    serial: str = arg(
        default="", primary=True, help="its serial number; not needed for the only one of a host"
    )
    off_time: Duration = arg(
        default=Duration("1s"), help="how long the card is without power when it is switched"
    )
    limit: Duration = arg(default=Duration("3s"), help="how long it may take to answer")

    def needs(self) -> Needs:
        """Return nothing: it is found by its serial number."""
        return Needs()

    def open(self) -> None:
        """Find it; raise LabError when it is not there or there are several."""
        units = {found: (path, pins) for found, path, pins in _units()}
        self._found = the_one(units, "USB-SD-Mux", serial=self.serial)
        path, self._pins = units[self._found]
        self._device = ScsiDevice(path, self.label(), self.limit)

    def switch(self, position: MuxPosition) -> None:
        """Take the card from both, and give it to one side."""
        pins = self._pins
        self._keep_defaults()
        self._set(pins.no_data | pins.no_power | pins.no_card)
        self._write(_DIRECTIONS, self._read(_DIRECTIONS) & ~_mask(pins) & 0xFF)
        if position == "off":
            return
        time.sleep(self.off_time)
        if position == "host":
            self._set(0)
            return
        self._set(pins.no_data | pins.no_power | pins.to_board | pins.no_card)  # no power while it moves
        self._set(pins.to_board | pins.no_card)

    def position(self) -> MuxPosition:
        """Read the pins."""
        pins = self._read(_INPUTS)
        if pins & self._pins.no_power:
            return "off"
        return "dut" if pins & self._pins.to_board else "host"

    def medium(self) -> str:
        """Return the path of the card; raise Unreachable while it is not there."""
        return there(disk_of(self._found, self.label()))

    def label(self) -> str:
        """Return its serial number."""
        return f"USB-SD-Mux {self._found.short}"

    def _keep_defaults(self) -> None:
        """Drive what resistors have held since it was plugged in: the board has the card."""
        pins = self._pins
        if pins.others and self._read(_DIRECTIONS) == _ALL_INPUTS:
            self._write(_OUTPUTS, pins.to_board | pins.no_card)
            self._write(_DIRECTIONS, _ALL_INPUTS & ~(_mask(pins) | pins.others))

    def _set(self, value: int) -> None:
        kept = self._read(_OUTPUTS) & ~_mask(self._pins) & 0xFF if self._pins.others else 0
        self._write(_OUTPUTS, kept | value)

    def _write(self, register: int, value: int) -> None:
        command = bytes([_COMMAND, _WRITE, self._pins.address << 1, 0, 0, 2, 0]).ljust(16, b"\0")
        self._device.write(command, bytes([register, value]).ljust(_DATA, b"\0"))

    def _read(self, register: int) -> int:
        to, source = self._pins.address << 1, self._pins.address << 1 | 1
        command = bytes([_COMMAND, _WRITE_AND_READ, to, source, 0, 1, 1, register]).ljust(16, b"\0")
        answer = self._device.read(command, _DATA)
        if not answer:
            raise LabError(f"{self.label()} answered for register {register} with nothing")
        return answer[0]


def _mask(pins: _Pins) -> int:
    return pins.no_data | pins.no_power | pins.to_board | pins.no_card


def _units() -> Iterator[tuple[Attached, str, _Pins]]:
    """Find the readers whose model says that they are one."""
    for each in sorted(_GENERIC.iterdir()) if _GENERIC.is_dir() else ():
        pins = _MODELS.get(text_of(each.resolve().parent.parent / "model", otherwise=""))
        found = owner(each) if pins else None
        if pins and found:
            yield found, f"/dev/{each.name}", pins
