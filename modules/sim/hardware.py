"""What is soldered onto a simulated board: processor, memory, medium, and the environment in its flash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from runner.modules.sim.cable import Cable
from runner.modules.sim.options import Faults, Firmware, System
from runner.modules.sim.processor import Processor
from runner.modules.sim.tpm import Tpm

Stage = Literal["blank", "firmware", "kernel", "system", "crashed", "halted"]
"""How far the board has come since its reset: what its screen and its lamps show."""

VERSION = "U-Boot 2023.01-sim (Jan 09 2023 - 16:07:33 +0000)"
RAM_START = 0x40000000
RAM_SIZE = 0x100000
RELEASE = "6.1.38-sim"
"""The system on a medium that nobody has written yet."""

DEFAULT_ENVIRONMENT: Mapping[str, str] = {
    "arch": "arm",
    "baudrate": "115200",
    "board": "sim",
    "bootargs": "console=ttyS0,115200 root=/dev/mmcblk0 ro",
    "bootcmd": "run mmcboot",
    "ethaddr": "02:00:00:51:4d:01",
    "fdtcontroladdr": "400f0000",
    "kernel_addr_r": "40080000",
    "loadaddr": "40080000",
    "mmcboot": "mmc read ${kernel_addr_r} 0 8; booti ${kernel_addr_r} - ${fdtcontroladdr}",
    "stderr": "serial",
    "stdin": "serial",
    "stdout": "serial",
    "ver": VERSION,
}


class Medium(Protocol):
    """What the board boots from."""

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes."""

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data`."""

    def size(self) -> int | None:
        """Return how many bytes it holds."""


def fresh_environment(firmware: Firmware) -> dict[str, str]:
    """Return U-Boot's environment as it leaves the factory."""
    return {**DEFAULT_ENVIRONMENT, "bootdelay": str(firmware.bootdelay)}


@dataclass(eq=False, kw_only=True)
class Hardware:
    """The parts that the programs of the board use."""

    processor: Processor
    cable: Cable
    medium: Medium
    firmware: Firmware
    system: System
    faults: Faults
    stored: dict[str, str]
    """The environment in the flash; survives power cycles."""
    tpm: Tpm | None = None
    """The security chip, if it has one."""
    stage: Stage = "blank"
    memory: bytearray = field(default_factory=lambda: bytearray(RAM_SIZE))
    powered_at: float = 0.0
    resets_left: int = 1
    """How often the fault ``reset_after`` still strikes."""

    @property
    def medium_size(self) -> int:
        """How many bytes the medium holds."""
        return self.medium.size() or 0

    @property
    def uptime(self) -> float:
        """Seconds since the supply came."""
        return self.processor.time - self.powered_at
