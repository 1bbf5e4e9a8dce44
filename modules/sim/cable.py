"""The two wires of a simulated board's console, and what goes wrong on them."""

from __future__ import annotations

from collections.abc import Callable

from runner.modules.sim.options import Faults


class Cable:
    """Turns what is sent into what arrives, in both directions."""

    def __init__(self, faults: Faults) -> None:
        """Start with an idle line."""
        self._faults = faults
        self.kernel_message: Callable[[], bytes] | None = None
        """Makes a kernel message to put between other output; None while there is no kernel."""
        self.restart()

    def restart(self) -> None:
        """Begin anew, as after a reset."""
        self.kernel_message = None
        self._lines_to_damage = self._faults.damaged_lines
        self._drop = self._swap = 0
        self._held = b""
        self._level = 0.0
        self._last_arrival = 0.0
        self._awaited = False
        self._insert_in: int | None = None

    def at_prompt(self) -> None:
        """Say that a line is going to be typed."""
        self._awaited = True
        self._held = b""
        self._drop = self._swap = 0
        if self._lines_to_damage:
            self._drop, self._swap = self._faults.drop, self._faults.swap

    def receive(self, data: bytes, now: float) -> bytes:
        """Return what of the typed bytes reaches the board."""
        arrived = b"".join(self._damaged(data[at : at + 1]) for at in range(len(data)))
        if self._faults.fifo:
            arrived = self._overrun(arrived, now)
        if data and self._awaited:
            self._awaited = False
            self._insert_in = self._faults.printk_at
        return arrived

    def transmit(self, data: bytes, _now: float) -> bytes:
        """Return what a program's output looks like on the line."""
        sent = data.replace(b"\n", b"\r\n")
        if self._insert_in is None or self.kernel_message is None:
            return sent
        if self._insert_in > len(sent):
            self._insert_in -= len(sent)
            return sent
        at, self._insert_in = self._insert_in, None
        return sent[:at] + self.kernel_message().replace(b"\n", b"\r\n") + sent[at:]

    def _damaged(self, byte: bytes) -> bytes:
        if self._drop or self._swap:
            self._lines_to_damage -= self._held == b"" and self._drop + self._swap == (
                self._faults.drop + self._faults.swap
            )
        if self._drop:
            self._drop -= 1
            return b""
        if not self._swap:
            return byte
        if not self._held:
            self._held = byte
            return b""
        self._swap -= 1
        swapped, self._held = byte + self._held, b""
        return swapped

    def _overrun(self, data: bytes, now: float) -> bytes:
        """Let bytes arrive at the line's rate and leave the receiver at the board's."""
        kept = bytearray()
        arrival = max(now, self._last_arrival)
        for byte in data:
            arrival += 1 / self._faults.line_rate
            taken = (arrival - self._last_arrival) * self._faults.fifo_rate
            self._level = max(0.0, self._level - taken)
            self._last_arrival = arrival
            if self._level + 1 <= self._faults.fifo:
                self._level += 1
                kept.append(byte)
        return bytes(kept)
