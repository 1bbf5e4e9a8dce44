"""A simulated board at a desk: power, keys and a clock in the hand of the test."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.modules.sim.board import Board
from runner.modules.sim.options import Faults, Firmware, System
from runner.modules.sim.tpm import Tpm


class Memory:
    """A medium in memory."""

    def __init__(self, content: bytes = b"SIMOS 6.1.38-sim\n", size: int = 65536) -> None:
        self.content = bytearray(content.ljust(size, b"\0"))

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        self.content[offset : offset + len(data)] = data

    def size(self) -> int:
        return len(self.content)


@dataclass
class Desk:
    """A board with a pencil record of everything it printed."""

    firmware: Firmware = field(default_factory=Firmware)
    system: System = field(default_factory=System)
    faults: Faults = field(default_factory=Faults)
    medium: Memory = field(default_factory=Memory)
    tpm: Tpm | None = None

    def __post_init__(self) -> None:
        self.board = Board(
            self.medium, firmware=self.firmware, system=self.system, faults=self.faults, tpm=self.tpm
        )
        self.now = 100.0
        self.printed = b""

    def power(self, *, on: bool) -> None:
        self.board.switch(on=on, now=self.now)

    def wait(self, seconds: float) -> str:
        self.now += seconds
        return self.type("")

    def type(self, text: str) -> str:
        printed = self.board.feed(text.encode("latin-1"), self.now)
        while (due := self.board.due()) is not None and due <= self.now:
            more = self.board.feed(b"", self.now)
            if not more:
                break
            printed += more
        self.printed += printed
        return printed.decode("latin-1")

    def run(self, command: str, seconds: float = 0.01) -> str:
        """Type a command and return what stands between its echo and the next prompt."""
        printed = self.type(f"{command}\r") + self.wait(seconds)
        _, _, rest = printed.partition("\r\n")
        return rest.rpartition("\r\n")[0] if "\r\n" in rest else ""

    def at_uboot(self) -> Desk:
        self.power(on=True)
        self.wait(0.5)
        self.type("\x03")
        return self

    def at_shell(self) -> Desk:
        self.power(on=True)
        self.wait(3.0)
        self.type(f"{self.system.user}\r")
        return self
