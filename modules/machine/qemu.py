"""A virtual machine in QEMU as a board: power, console, storage, monitor."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from runner.api import (
    Context,
    Driver,
    Duration,
    LabError,
    Machine,
    MachineForward,
    MachineInfo,
    MachineSnapshot,
    MachineState,
    Needs,
    Picture,
    Size,
    Unsupported,
    arg,
    child,
)
from runner.api.image import Image
from runner.console import ConsoleSettings
from runner.modules.machine import asking, kvm
from runner.modules.machine.cloud_init import written
from runner.modules.machine.command_line import Files, Setup, command_line
from runner.modules.machine.guest import Guest
from runner.modules.machine.options import CloudInit, Disk, Network, Screen, forwarding
from runner.modules.machine.parts import GuestStorage, SerialConsole, Supply, Viewer
from runner.modules.machine.port import GuestPort
from runner.modules.machine.qcow2 import Qcow2

_PACKAGES = {
    "aarch64": "qemu-system-arm",
    "arm": "qemu-system-arm",
    "x86_64": "qemu-system-x86",
    "i386": "qemu-system-x86",
}
"""Debian's package for each processor that has one of its own; the others are in qemu-system-misc."""
_LOOK = 0.1
"""Seconds between two looks whether the step is to stop."""


class Qemu(Driver, Machine):
    """A virtual machine in QEMU, switched, typed at and flashed like a board.

    It is emulated in software (TCG) on any host unless the option `accelerator` says otherwise.
    Switching it on starts QEMU, switching it off ends it at once, as pulling a plug does; the verbs
    `vm_…` do what only a virtual machine can.

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
    screen: Screen | None = arg(default=None, help="a graphics card; null for none")
    cloud_init: CloudInit | None = arg(default=None, help="what a cloud image is told; null for nothing")
    vsock: int | None = arg(
        default=None, help="its CID on the host's vsock; null for none", minimum=3, maximum=0xFFFFFFFE
    )
    accelerator: Literal["tcg", "kvm", "auto"] = arg(
        default="tcg",
        help="tcg: emulated on any host; kvm: run by the host's kernel, which has to prove that it can; "
        "auto: kvm where that is proven",
    )
    arguments: list[str] = arg(default=[], help="more arguments for QEMU, at the end")
    serial_port: int = arg(
        default=0, help="which of its serial ports the console is, counted from 0", minimum=0, maximum=7
    )
    start_limit: Duration = arg(default=Duration("10s"), help="how long QEMU may take to answer")
    stop_limit: Duration = arg(default=Duration("5s"), help="how long it may take to end before it is killed")
    snapshot_limit: Duration = arg(
        default=Duration("2m"), help="how long it may take to save or load the whole machine"
    )
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how its console is used")

    def needs(self) -> Needs:
        """Return QEMU and the files that it reads."""
        program = self._program
        disk = self.disk.path if self.disk else ""
        files = (self.bios, self.kernel, self.initrd, self.dtb, disk)
        programs = {program: _PACKAGES.get(self.arch, "qemu-system-misc")}
        if self.disk and self.disk.format == "qcow2":
            programs["qemu-img"] = "qemu-utils"
        return Needs(nodes=tuple(filter(None, files)), programs=programs)

    def open(self) -> None:
        """Open the medium; the machine stays off."""
        self._guest: Guest | None = None
        self._kvm: str | None = None
        self._viewer = Viewer(self)
        self._ports: list[GuestPort] = []
        self._switching = threading.RLock()
        self._image = _medium(self.disk)
        if self._image is not None:
            self._image.open()

    def close(self) -> None:
        """End the machine and close the medium."""
        self._viewer.let_go()
        self.switch_off()
        if self._image is not None:
            self._image.close()

    def monitor(self, command: str, arguments: Mapping[str, object]) -> object:
        """Run a command of QMP; raise LabError when it is refused or the machine is off."""
        return self._running(f"cannot run {command!r}").execute(command, dict(arguments), self.start_limit)

    def state(self) -> MachineState:
        """Look whether QEMU is there, and whether it runs its guest."""
        if not self.running:
            return "stopped"
        return "running" if asking.status(self.monitor) == "running" else "paused"

    def info(self) -> MachineInfo:
        """Ask the monitor; a machine that is off tells what its options are."""
        state = self.state()
        on = state != "stopped"
        wanted = self.network.forwards if self.network else {}
        return MachineInfo(
            state=state,
            status=asking.status(self.monitor) if on else "off",
            version=asking.version(self.monitor) if on else "",
            accelerator=asking.accelerator(self.monitor) if on else "",
            cpus=self.cpus,
            memory=self.memory,
            disks=asking.disks(self.monitor) if on else (),
            forwards=asking.forwards(self.monitor, wanted) if on and wanted else {},
            vnc=self.vnc_socket(),
            vsock=self.vsock,
            pid=self.pid,
        )

    def start(self) -> None:
        """Switch it on, or let it go on."""
        if self.running:
            self.monitor("cont", {})
        self.switch_on()

    def pause(self) -> None:
        """Stop its processors."""
        self.monitor("stop", {})

    def stop(self) -> None:
        """End QEMU."""
        self.switch_off()

    def reset(self) -> None:
        """Press its reset button."""
        self.monitor("system_reset", {})

    def shut_down(self, within: float, context: Context) -> bool:
        """Press the power button and wait for QEMU to end; the guest decides whether it does."""
        guest = self._running("cannot press its power button")
        until = time.monotonic() + within
        guest.stopping = True
        try:
            guest.execute("cont", {}, self.start_limit)
            guest.execute("system_powerdown", {}, self.start_limit)
            while not guest.ended.wait(min(_LOOK, max(0.0, until - time.monotonic()))):
                context.check_cancelled()
                if time.monotonic() >= until:
                    return False
        finally:
            guest.stopping = guest.ended.is_set()
        self.switch_off()
        return True

    def configure(
        self,
        *,
        cpus: int | None = None,
        memory: Size | None = None,
        disk_size: Size | None = None,
        forwards: Mapping[str, MachineForward] | None = None,
        user_data: str | None = None,
    ) -> None:
        """Change it for its next start; raise LabError while it runs."""
        with self._switching:
            if self.running:
                raise LabError("cannot change the machine while it runs", hint="stop it first")
            if disk_size is not None:
                if self._image is None:
                    raise Unsupported("this machine has no disk", hint="give the device the option disk")
                self._image.grow(disk_size)
            if forwards is not None:
                self.network = forwarding(self.network, forwards)
            if user_data is not None:
                self.cloud_init = CloudInit(user_data=user_data) if user_data else None
            self.cpus = self.cpus if cpus is None else cpus
            self.memory = self.memory if memory is None else memory

    def screendump(self) -> Picture:
        """Return the first screen, as QEMU writes it."""
        return self._running("cannot show its screen").screendump(self.start_limit)

    def press(self, keys: Sequence[str], hold: float) -> None:
        """Press QEMU's keys together; QEMU lets go of them by itself."""
        asking.press(self.monitor, tuple(keys), hold)

    def snapshots(self) -> tuple[MachineSnapshot, ...]:
        """Ask for the snapshots on its disks."""
        return asking.snapshots(self.monitor)

    def save_snapshot(self, name: str) -> None:
        """Save memory, devices and disks; raise Unsupported when its disk is not qcow2."""
        asking.snapshot(self._patiently, "savevm", name)

    def load_snapshot(self, name: str) -> None:
        """Go back to a snapshot."""
        asking.snapshot(self._patiently, "loadvm", name)

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        asking.snapshot(self._patiently, "delvm", name)

    def _patiently(self, command: str, arguments: Mapping[str, object]) -> object:
        """Run a command that moves as much as the machine has memory."""
        return self._running(f"cannot run {command!r}").execute(
            command, dict(arguments), float(self.snapshot_limit)
        )

    def _running(self, refusal: str) -> Guest:
        guest = self._guest
        if guest is None or guest.ended.is_set():
            raise LabError(f"{refusal}: the machine is off", hint="switch its power on first")
        return guest

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

    @child
    def vnc(self) -> Viewer:
        """Its screen and keyboard, over VNC."""
        return self._viewer

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
            accelerator = self._accelerator()

            def arguments(monitor: int, serial: int, folder: Path) -> Sequence[str]:
                return command_line(self._setup(accelerator, folder), monitor=monitor, serial=serial)

            guest = Guest(arguments)
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

    def vnc_socket(self) -> str:
        """Return where its VNC server listens; empty when there is none, or the machine is off."""
        if self._guest is None or not self.running or not self.screen or not self.screen.vnc:
            return ""
        return str(self._guest.folder / "vnc")

    def open_port(self) -> GuestPort:
        """Open the serial port."""
        with self._switching:
            port = GuestPort(self._ports.remove)
            self._ports.append(port)
            if self._guest is not None and self.running:
                port.attach(self._guest)
            return port

    def _accelerator(self) -> str:
        """Return what runs the processor; what is missing on the host is told before QEMU starts."""
        if self.vsock is not None and not os.access("/dev/vhost-vsock", os.R_OK | os.W_OK):
            raise Unsupported(
                "vsock needs /dev/vhost-vsock, which cannot be opened here",
                hint="modprobe vhost_vsock, and the right to use it; or leave the option vsock out",
            )
        if self.accelerator == "tcg":
            return "tcg"
        if self._kvm is None:
            self._kvm = kvm.refusal(self._program, self.arch, self.cpu, kvm.LIMIT)
        if self._kvm and self.accelerator == "kvm":
            raise Unsupported(f"KVM does not run this machine: {self._kvm}", hint="accelerator: auto or tcg")
        return "tcg" if self._kvm else "kvm"

    @property
    def _program(self) -> str:
        return self.binary or f"qemu-system-{self.arch}"

    def _setup(self, accelerator: str, folder: Path) -> Setup:
        screen = self.screen
        return Setup(
            accelerator=accelerator,
            screen=screen,
            vsock=self.vsock,
            vnc=str(folder / "vnc") if screen and screen.vnc else "",
            seed=written(self.cloud_init, folder / "seed") if self.cloud_init else "",
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


def _medium(disk: Disk | None) -> Image | Qcow2 | None:
    if disk is None:
        return None
    return Image(disk.path, disk.capacity) if disk.format == "raw" else Qcow2(disk.path, disk.capacity)
