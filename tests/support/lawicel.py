"""Adapters that speak Lawicel's ASCII protocol (CAN232 manual, V3) on ptys, and cables between serial ports."""

from __future__ import annotations

import abc
import os
import pty
import select
import threading
import tty
from collections.abc import Mapping

_ANSWERS = {b"V": b"V1013", b"N": b"NA123", b"F": b"F00"}
_FRAMES = b"tTrRdDbB"


class _Pumped(abc.ABC):
    """Ptys that a thread looks after until `close`."""

    def __init__(self, count: int) -> None:
        self._ends: list[tuple[int, int]] = [pty.openpty() for _ in range(count)]
        for masters, slaves in self._ends:
            tty.setraw(masters)
            tty.setraw(slaves)
        self.ports = tuple(os.ttyname(slave) for _, slave in self._ends)
        self._masters = tuple(master for master, _ in self._ends)
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._run, name="ptys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._woken, b"x")
        self._thread.join()
        for number in (*(end for pair in self._ends for end in pair), self._wake, self._woken):
            os.close(number)

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([*self._masters, self._wake], [], [])
            if self._wake in ready:
                return
            for master in ready:
                self._take(master, os.read(master, 65536))

    @abc.abstractmethod
    def _take(self, master: int, data: bytes) -> None: ...


class Cable(_Pumped):
    """Two serial ports with a null-modem cable between them."""

    def __init__(self) -> None:
        super().__init__(2)

    def _take(self, master: int, data: bytes) -> None:
        os.write(next(each for each in self._masters if each != master), data)


class Adapters(_Pumped):
    """Adapters on one bus; `commands` holds what each port was told besides frames."""

    def __init__(self, count: int = 2) -> None:
        self._rest: dict[int, bytes] = {}
        self._open: set[int] = set()
        self._said: dict[int, list[str]] = {}
        self._changed = threading.Condition()
        super().__init__(count)

    @property
    def commands(self) -> Mapping[str, list[str]]:
        return {
            port: self._said.get(master, []) for port, master in zip(self.ports, self._masters, strict=True)
        }

    def say(self, place: int, data: bytes) -> None:
        """Have an adapter say anything at all."""
        os.write(self._masters[place], data)

    def wait_open(self, place: int) -> None:
        """Wait until the adapter of that place takes part in the bus."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._masters[place] in self._open, 30)

    def _take(self, master: int, data: bytes) -> None:
        *lines, self._rest[master] = (self._rest.get(master, b"") + data).split(b"\r")
        for line in lines:
            self._do(master, line)

    def _do(self, master: int, line: bytes) -> None:
        if line[:1] in (bytes([each]) for each in _FRAMES):
            for other in self._open - {master}:
                os.write(other, line + b"\r")
            os.write(master, b"z\r")
            return
        self._said.setdefault(master, []).append(line.decode())
        if line[:1] in {b"O", b"L"}:
            with self._changed:
                self._open.add(master)
                self._changed.notify_all()
        elif line[:1] == b"C":
            self._open.discard(master)
        os.write(master, _ANSWERS.get(line[:1], b"") + b"\r")
