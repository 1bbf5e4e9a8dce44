"""A virtual machine in QEMU as a board: power, console, storage, monitor."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from runner.api import (
    Driver,
    Duration,
    LabError,
    Machine,
    Needs,
    Power,
    PowerState,
    Size,
    Storage,
    Unsupported,
    arg,
    child,
)
from runner.api.image import Image
from runner.console import Console, ConsoleSettings, Stream
from runner.modules.machine.command_line import Files, Setup, command_line
from runner.modules.machine.guest import Guest
from runner.modules.machine.options import Disk, Network
from runner.modules.machine.port import GuestPort

_PACKAGES = {
    "aarch64": "qemu-system-arm",
    "arm": "qemu-system-arm",
    "x86_64": "qemu-system-x86",
    "i386": "qemu-system-x86",
}
"""Debian's package for each processor that has one of its own; the others are in qemu-system-misc."""


class Qemu(Driver, Machine):
    """A virtual machine in QEMU, switched, typed at and flashed like a board.

    It is emulated in software (TCG) on any host. Switching it on starts QEMU, switching it off
    ends it at once, as pulling a plug does.

    Example::

        devices:
          board: {driver: qemu, bios: /usr/lib/u-boot/qemu_arm64/u-boot.bin, disk: {capacity: 64MiB}}
    """

    simulated = True
    private = True
    unconfined = True

    arch: str = arg(default="aarch64", help="the processor: aarch64, arm, riscv64, x86_64, i386 …")
    binary: str = arg(default="", help="the program; empty: qemu-system-ARCH")
    machine: str = arg(default="virt", help="QEMU's -machine")
    cpu: str = arg(default="", help="QEMU's -cpu; empty: one that fits the machine")
    cpus: int = arg(default=1, help="how many processors", minimum=1)
    memory: Size = arg(default=Size("256MiB"), help="how much memory", minimum=2**20)
    bios: str = arg(default="", help="firmware on the host, as U-Boot")
    kernel: str = arg(default="", help="a kernel on the host that is started directly")
    initrd: str = arg(default="", help="its first file system")
    dtb: str = arg(default="", help="its device tree")
    append: str = arg(default="", help="its command line")
    disk: Disk | None = arg(default=None, help="a medium; without one there is no storage")
    network: Network | None = arg(default=Network(), help="the user network; null for none")
    arguments: list[str] = arg(default=[], help="more arguments for QEMU, at the end")
    serial_port: int = arg(
        default=0, help="which of its serial ports the console is, counted from 0", minimum=0, maximum=7
    )
    start_limit: Duration = arg(default=Duration("10s"), help="how long QEMU may take to answer")
    stop_limit: Duration = arg(default=Duration("5s"), help="how long it may take to end before it is killed")
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how its console is used")

    def needs(self) -> Needs:
        """Return QEMU and the files that it reads."""
        program = self.binary or f"qemu-system-{self.arch}"
        disk = self.disk.path if self.disk else ""
        files = (self.bios, self.kernel, self.initrd, self.dtb, disk)
        return Needs(
            nodes=tuple(filter(None, files)), programs={program: _PACKAGES.get(self.arch, "qemu-system-misc")}
        )

    def open(self) -> None:
        """Open the medium; the machine stays off."""
        self._guest: Guest | None = None
        self._ports: list[GuestPort] = []
        self._switching = threading.RLock()
        self._image = Image(self.disk.path, self.disk.capacity) if self.disk else None
        if self._image is not None:
            self._image.open()

    def close(self) -> None:
        """End the machine and close the medium."""
        self.switch_off()
        if self._image is not None:
            self._image.close()

    def monitor(self, command: str, arguments: Mapping[str, object]) -> object:
        """Run a command of QMP; raise LabError when it is refused or the machine is off."""
        guest = self._guest
        if guest is None or guest.ended.is_set():
            raise LabError(f"cannot run {command!r}: the machine is off", hint="switch its power on first")
        return guest.execute(command, dict(arguments), self.start_limit)

    @child
    def power(self) -> Supply:
        """Its plug."""
        return Supply(self)

    @child
    def console(self) -> SerialConsole:
        """Its serial port."""
        return SerialConsole(self, self.settings)

    @child
    def storage(self) -> GuestStorage:
        """Its medium."""
        return GuestStorage(self, self._image)

    @property
    def running(self) -> bool:
        """Whether QEMU's process is there."""
        return self._guest is not None and not self._guest.ended.is_set()

    @property
    def pid(self) -> int | None:
        """QEMU's process; None while the machine is off."""
        return self._guest.pid if self._guest is not None and self.running else None

    def switch_on(self) -> None:
        """Start QEMU; its first instruction waits until the console is connected."""
        with self._switching:
            if self.running:
                return
            self.switch_off()
            guest = Guest(lambda monitor, serial: command_line(self._setup(), monitor=monitor, serial=serial))
            guest.begin(self.start_limit)
            self._guest = guest
            for port in self._ports:
                port.attach(guest)
            guest.go(self.start_limit)

    def switch_off(self) -> None:
        """End QEMU."""
        with self._switching:
            guest, self._guest = self._guest, None
            if guest is not None:
                guest.stop(self.stop_limit)

    def open_port(self) -> GuestPort:
        """Open the serial port."""
        with self._switching:
            port = GuestPort(self._ports.remove)
            self._ports.append(port)
            if self._guest is not None and self.running:
                port.attach(self._guest)
            return port

    def _setup(self) -> Setup:
        return Setup(
            binary=self.binary,
            arch=self.arch,
            machine=self.machine,
            cpu=self.cpu,
            cpus=self.cpus,
            memory=self.memory,
            files=Files(self.bios, self.kernel, self.initrd, self.dtb, self.append),
            network=self.network,
            disk=self.disk,
            disk_path=self._image.path if self._image else "",
            arguments=tuple(self.arguments),
            port=self.serial_port,
        )


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

    def __init__(self, machine: Qemu, image: Image | None) -> None:
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
        return self._image
