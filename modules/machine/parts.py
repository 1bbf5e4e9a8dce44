"""The parts of a virtual machine in QEMU: its plug, its serial port, its medium."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from runner.api import Display, LabError, Power, PowerState, Size, Storage, Unreachable, Unsupported
from runner.api.image import Image
from runner.console import Console, ConsoleSettings, Stream
from runner.modules.machine.qcow2 import Qcow2

if TYPE_CHECKING:
    from runner.modules.machine.qemu import Qemu


class Supply(Power):
    """The plug of a virtual machine."""

    def __init__(self, machine: Qemu) -> None:
        """Take the machine."""
        self._machine = machine

    def on(self) -> None:
        """Start the machine; raise LabError with QEMU's words when it does not start."""
        self._machine.switch_on()

    def off(self) -> None:
        """End the machine at once."""
        self._machine.switch_off()

    def state(self) -> PowerState:
        """Look whether QEMU's process is there."""
        return "on" if self._machine.running else "off"


class SerialConsole(Console):
    """A serial port of a virtual machine."""

    def __init__(self, machine: Qemu, settings: ConsoleSettings) -> None:
        """Take the machine and how its console is used."""
        self._machine = machine
        self.settings = settings

    def connect(self) -> Stream:
        """Open the port."""
        return self._machine.open_port()


class GuestStorage(Storage):
    """The medium of a virtual machine, written while it is off."""

    def __init__(self, machine: Qemu, image: Image | Qcow2 | None) -> None:
        """Take the machine and its image, if it has one."""
        self._machine = machine
        self._image = image

    def size(self) -> Size | None:
        """Return how many bytes it holds."""
        return self._present.size()

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; raise LabError while the machine runs."""
        image = self._present
        if self._machine.running:
            raise LabError(
                "cannot write to the medium while the machine runs", hint="switch its power off first"
            )
        image.write(offset, data)

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`."""
        return self._present.read(offset, length)

    def flush(self) -> None:
        """Return when the host's disk has everything."""
        self._present.flush()

    def refusal(self) -> str:
        """Say why a block device is not to be written."""
        return self._present.refusal()

    def forget(self) -> None:
        """Drop what the kernel keeps of it."""
        self._present.forget()

    @property
    def _present(self) -> Image:
        if self._image is None:
            raise Unsupported("this machine has no medium", hint="give the device the option disk")
        if isinstance(self._image, Qcow2):
            raise Unsupported(
                "a qcow2 disk is neither flashed nor dumped", hint="the disk's format: raw can be both"
            )
        return self._image


class Viewer(Display):
    """The VNC server of a virtual machine, which comes and goes with it."""

    def __init__(self, machine: Qemu) -> None:
        """Take the machine."""
        self._machine = machine

    def where(self) -> str:
        """Name its socket."""
        return self._machine.vnc_socket() or "the machine's screen"

    def connect(self, timeout: float) -> socket.socket:
        """Connect to the machine that runs now; raise Unsupported when it has no VNC server."""
        path = self._machine.vnc_socket()
        if not path and not self._machine.running:
            raise LabError("the machine is off: it shows nothing", hint="switch its power on first")
        if not path:
            raise Unsupported("this machine has no VNC server", hint="give the device the option screen: {}")
        made = socket.socket(socket.AF_UNIX)
        try:
            made.settimeout(timeout)
            made.connect(path)
        except OSError as error:
            made.close()
            raise Unreachable(f"QEMU's VNC server is gone: {error.strerror or error}") from error
        return made
