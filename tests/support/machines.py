"""Virtual machines that boot a sector of our own in no time: what they do is known to the byte."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.api import Duration, Size
from runner.modules.machine.qemu import Qemu

READY = b"R"
_SAY_READY = "BA F8 03 B0 52 EE"  # mov dx,0x3f8; mov al,'R'; out dx,al: COM1
_TYPIST = "B4 00 CD 16 B4 0E CD 10 BA F8 03 EE EB F2"
"""Wait for a key (INT 16h, 0), show it (INT 10h, 0Eh), send it to COM1; and again."""
_LISTEN = "BA 02 06 B8 00 01 EF"  # PM1 enable of the PIIX4, as SeaBIOS sets it up: the power button
_OBEY = "BA 00 06 ED F6 C4 01 74 FA BA 04 06 B8 00 20 EF F4"
"""Wait for the button in PM1 status, then sleep for ever (S5) by PM1 control (ACPI 6.5, 4.8.3)."""


@contextmanager
def machine(**options: Any) -> Iterator[Qemu]:
    """Open a PC; it is off, and has nothing to boot from unless it is given a sector."""
    made = Qemu(
        **{
            "arch": "x86_64",
            "machine": "pc",
            "memory": Size("32MiB"),
            "network": None,
            "start_limit": Duration("120s"),
            "stop_limit": Duration("60s"),
            **options,
        }
    )
    made.open()
    try:
        yield made
    finally:
        made.close()


def typist(folder: Path) -> list[str]:
    """Return the arguments for a guest that shows each key and sends it to its serial port."""
    return _booting(folder, _SAY_READY + _TYPIST)


def obedient(folder: Path) -> list[str]:
    """Return the arguments for a guest that ends when its power button is pressed."""
    return _booting(folder, _LISTEN + _SAY_READY + _OBEY)


def _booting(folder: Path, code: str) -> list[str]:
    sector = folder / "sector"
    boot = bytes.fromhex(code).ljust(510, b"\0") + b"\x55\xaa"
    sector.write_bytes(boot.ljust(2**20, b"\0"))  # of less than a cylinder SeaBIOS reads nothing
    drive = f"if=none,id=sector,file={sector},format=raw,readonly=on"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=sector,bootindex=0"]


class Line:
    """The serial port of a machine."""

    def __init__(self, machine: Qemu) -> None:
        self._port = machine.open_port()
        self.heard = b""

    def wait_for(self, wanted: bytes) -> None:
        end = time.monotonic() + 120
        while wanted not in self.heard:
            assert time.monotonic() < end, f"{wanted!r} is not in {self.heard!r}"
            self.heard += self._port.read(1.0)

    def close(self) -> None:
        self._port.close()


@contextmanager
def line(machine: Qemu) -> Iterator[Line]:
    """Listen to its serial port."""
    made = Line(machine)
    try:
        yield made
    finally:
        made.close()
