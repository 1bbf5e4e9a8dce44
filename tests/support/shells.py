"""Consoles at real programs: a shell on a pty, U-Boot in QEMU."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from support.peers import UBOOT
from support.plain_context import PlainContext

from runner.api import Duration
from runner.console import Chunk, Console, ConsoleGone, ConsoleSettings, Stream


class Port:
    """A file descriptor as a stream."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._woken, self._wake = os.pipe()

    def read(self, timeout: float) -> bytes:
        ready = select.select([self.descriptor, self._woken], [], [], timeout)[0]
        if self._woken in ready:
            raise ConsoleGone("closed")
        if not ready:
            return b""
        try:
            data = os.read(self.descriptor, 65536)
        except OSError as error:
            raise ConsoleGone(str(error)) from error
        if not data:
            raise ConsoleGone("the other end has closed")
        return data

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def close(self) -> None:
        os.write(self._wake, b"x")


class RecordedConsole(Console):
    """A console that keeps its raw log."""

    def __init__(self, settings: ConsoleSettings | None = None) -> None:
        self.settings = settings or ConsoleSettings(kernel_level=None)
        self.context = PlainContext()
        self.raw = bytearray()
        self.gaps: list[str] = []

    def record(self, chunk: Chunk) -> None:
        self.raw += chunk.data
        if chunk.gap:
            self.gaps.append(chunk.gap)


class PtyConsole(RecordedConsole):
    """A console at a program on a pty; a new program for each connection."""

    def __init__(self, *command: str, settings: ConsoleSettings | None = None) -> None:
        super().__init__(settings)
        self.command = command
        self.process = 0
        self.descriptor = -1

    def connect(self) -> Stream:
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
            os.environ.update(PS1="$ ", HISTFILE="/dev/null", TERM="vt100")
            os.execvp(self.command[0], self.command)
        return Port(self.descriptor)

    def end(self) -> None:
        """End the program, as an unplugged adapter would end the port."""
        process = self.process  # the reader starts another as soon as this one is gone
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


class UbootConsole(RecordedConsole):
    """A console at U-Boot on QEMU's virt board (emulator: -accel tcg); it stands still until its mark."""

    def __init__(self, folder: Path, settings: ConsoleSettings | None = None) -> None:
        super().__init__(settings)
        self._path, self._monitor = folder / "serial", folder / "monitor"
        command = "qemu-system-aarch64 -accel tcg -M virt -cpu cortex-a57 -m 256 -display none -nic none"
        serial = f"unix:{self._path},server=on,wait=off"
        monitor = f"unix:{self._monitor},server=on,wait=off"
        bios = ["-bios", str(UBOOT), "-serial", serial, "-qmp", monitor, "-S"]
        self._machine = subprocess.Popen([*command.split(), *bios])

    def connect(self) -> Stream:
        self._socket = _connected(self._path)
        return Port(self._socket.fileno())

    def power_mark(self) -> None:
        super().power_mark()
        with _connected(self._monitor) as monitor, monitor.makefile("rw", encoding="ascii") as lines:
            for command in ("qmp_capabilities", "cont"):
                lines.write(json.dumps({"execute": command}) + "\n")
                lines.flush()
                while "return" not in json.loads(lines.readline()):
                    pass

    @classmethod
    @contextlib.contextmanager
    def at_its_prompt(cls, folder: Path) -> Iterator[UbootConsole]:
        """Start a machine and stop its autoboot; end it afterwards."""
        console = cls(folder)
        console.start(console.record, "uboot")
        console.power_mark()
        console.enter_uboot(console.context, within=Duration("120s"))
        try:
            yield console
        finally:
            console.stop()
            console.power_off()

    def power_off(self) -> None:
        """End the machine."""
        self._machine.kill()
        self._machine.wait()
        self._socket.close()


def _connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    limit = time.monotonic() + 60
    while True:
        try:
            made.connect(str(path))
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.005)
        else:
            return made
