"""The simulated board as a state machine: typed bytes and the time in, printed bytes out."""

from __future__ import annotations

from runner.modules.sim.cable import Cable
from runner.modules.sim.firmware import power_on
from runner.modules.sim.hardware import Hardware, Medium, Stage
from runner.modules.sim.options import Faults, Firmware, System
from runner.modules.sim.processor import Out, Processor, Program, Restart, Sleep
from runner.modules.sim.tpm import Tpm

_MAGIC = 5.0
"""Seconds after a break in which the kernel takes a key (Linux, drivers/tty/serial/serial_core.c)."""


class Board:
    """A board without a clock of its own: every call says what time it is, in seconds.

    The same calls give the same bytes. Not safe for several threads.
    """

    def __init__(
        self,
        medium: Medium,
        *,
        firmware: Firmware | None = None,
        system: System | None = None,
        faults: Faults | None = None,
        tpm: Tpm | None = None,
    ) -> None:
        """Build it, without power."""
        self._tpm = tpm
        self._hardware: Hardware | None = None
        self._medium = medium
        self._firmware = firmware or Firmware()
        self._system = system or System()
        self._faults = faults or Faults()
        self._cable = Cable(self._faults)
        self._processor = Processor(self._cable.transmit)
        self._stored: dict[str, str] = {}
        self._powered_at: float | None = None
        self._starts = 0
        self._magic_until = 0.0

    @property
    def powered_at(self) -> float | None:
        """When the supply came; None while there is none."""
        return self._powered_at

    @property
    def stage(self) -> Stage | None:
        """How far it has come since its reset; None without power."""
        return self._hardware.stage if self._hardware is not None else None

    def switch(self, *, on: bool, now: float) -> None:
        """Give it power or take it away."""
        self._processor.advance(now)
        if on == (self._powered_at is not None):
            return
        self._powered_at = now if on else None
        self._hardware = None
        if not on:
            self._processor.stop()
            return
        self._starts += 1
        self._hardware = hardware = Hardware(
            processor=self._processor,
            cable=self._cable,
            medium=self._medium,
            firmware=self._firmware,
            system=self._system,
            faults=self._faults,
            stored=self._stored,
            tpm=self._tpm,
            powered_at=now,
        )
        if self._faults.mute_from and self._starts >= self._faults.mute_from:
            return
        self._processor.start(lambda: power_on(hardware), now)

    def feed(self, data: bytes, now: float) -> bytes:
        """Type bytes and return what has been printed up to now; no bytes only let time pass.

        Much output comes in pieces: as long as `due` is not later than `now`, there is more.
        """
        self._processor.advance(now)
        if data and self._magic_until >= now:
            data = self._magic(data)
        if data and self._powered_at is not None:
            self._processor.type(self._cable.receive(data, now))
            self._processor.advance(now)
        return self._processor.take()

    def receive_break(self, now: float) -> None:
        """Take a break: for five seconds the next character is the kernel's magic key."""
        self._processor.advance(now)
        self._magic_until = now + _MAGIC if self._cable.kernel_message is not None else 0.0

    def _magic(self, data: bytes) -> bytes:
        """Do what the first byte asks of the kernel; return the others."""
        self._magic_until = 0.0
        if data[:1] == b"b" and self._powered_at is not None:
            self._processor.halt(_reset())
        return data[1:]

    def due(self) -> float | None:
        """Return when it prints next without being typed at; None for never."""
        return self._processor.due()


def _reset() -> Program[None]:
    yield Out(b"sysrq: Resetting\n")
    yield Sleep(0.01)
    yield Restart()
