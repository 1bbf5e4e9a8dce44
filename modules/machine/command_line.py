"""QEMU's command line (QEMU documentation, "Invocation"): options to arguments, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.api import Size
from runner.modules.machine.options import Disk, Network, Screen

_DISK_DEVICES = {
    "nvme": ("nvme,drive=disk,serial=disk",),
    "scsi": ("virtio-scsi-pci", "scsi-hd,drive=disk"),
    "usb": ("usb-ehci", "usb-storage,drive=disk"),
}
_PCS = ("x86_64", "i386")
_DEFAULT_CPU = {("aarch64", "virt"): "cortex-a57", ("arm", "virt"): "cortex-a15"}


@dataclass(frozen=True)
class Files:
    """What the machine starts from; empty ones are left out."""

    bios: str = ""
    kernel: str = ""
    initrd: str = ""
    dtb: str = ""
    append: str = ""


@dataclass(frozen=True)
class Setup:
    """Everything that makes one command line."""

    binary: str
    arch: str
    machine: str
    cpu: str
    cpus: int
    memory: Size
    files: Files
    network: Network | None
    disk: Disk | None
    disk_path: str
    arguments: tuple[str, ...]
    port: int = 0
    """Which serial port is the console."""
    accelerator: str = "tcg"
    screen: Screen | None = None
    vsock: int | None = None
    vnc: str = ""
    """The path of its socket; empty: none."""
    seed: str = ""
    """A folder with what cloud-init reads; empty: none."""


def command_line(setup: Setup, *, monitor: int, serial: int) -> list[str]:
    """Return the arguments of a machine that waits for ``cont``.

    `monitor` and `serial` are the numbers of listening Unix sockets that it inherits.
    """
    cpu = setup.cpu or _default_cpu(setup)
    return [
        setup.binary or f"qemu-system-{setup.arch}",
        *("-nodefaults", "-display", "none", "-accel", setup.accelerator, "-S"),
        *("-machine", setup.machine),
        *(("-cpu", cpu) if cpu else ()),
        *("-smp", str(setup.cpus), "-m", f"{max(1, setup.memory // 2**20)}M"),
        *("-chardev", f"socket,id=monitor,fd={monitor},server=on,wait=off"),
        *("-mon", "chardev=monitor,mode=control"),
        *("-chardev", f"socket,id=serial,fd={serial},server=on,wait=off"),
        *(("-serial", "null") * setup.port),
        *("-serial", "chardev:serial"),
        *_files(setup.files),
        *_network(setup.network),
        *(_disk(setup.disk, setup.disk_path) if setup.disk else ()),
        *_seed(setup.seed),
        *(_screen(setup.screen, setup) if setup.screen else ()),
        *(("-device", f"vhost-vsock-pci,guest-cid={setup.vsock}") if setup.vsock is not None else ()),
        *setup.arguments,
    ]


def _default_cpu(setup: Setup) -> str:
    if setup.accelerator == "kvm":
        return "host"
    return _DEFAULT_CPU.get((setup.arch, setup.machine.split(",")[0]), "")


def _seed(folder: str) -> Sequence[str]:
    """QEMU itself shows a folder as a FAT disk: no tool has to make an image of it."""
    if not folder:
        return ()
    node = f"driver=vvfat,node-name=cidata,read-only=on,dir={_escaped(folder)},label=CIDATA"
    return ("-blockdev", node, "-device", "virtio-blk-pci,drive=cidata")


def _screen(screen: Screen, setup: Setup) -> Sequence[str]:
    """Add a card, a USB keyboard where there is none built in, and the VNC server."""
    pc = setup.arch in _PCS
    card = screen.card or ("VGA" if pc else "virtio-gpu-pci")
    keyboard = () if pc else ("-device", "qemu-xhci", "-device", "usb-kbd")
    vnc = ("-vnc", f"unix:{_escaped(setup.vnc)}") if setup.vnc else ()
    return ("-device", card, *keyboard, *vnc)


def _files(files: Files) -> Sequence[str]:
    named = ("bios", "kernel", "initrd", "dtb", "append")
    return [text for name in named if getattr(files, name) for text in (f"-{name}", getattr(files, name))]


def _network(network: Network | None) -> Sequence[str]:
    if network is None:
        return ("-nic", "none")
    parts = ["user"]
    parts += [f"model={network.model}"] if network.model else []
    parts += [f"tftp={_escaped(network.tftp)}"] if network.tftp else []
    parts += [f"bootfile={_escaped(network.bootfile)}"] if network.bootfile else []
    parts += [
        f"hostfwd={each.protocol}:{each.address}:{each.host}-:{each.guest}"
        for each in network.forwards.values()
    ]
    return ("-nic", ",".join(parts))


def _disk(disk: Disk, path: str) -> Sequence[str]:
    drive = f"file={_escaped(path)},format={disk.format}"
    drive += ",snapshot=on" if disk.discard else ""
    devices = _DISK_DEVICES.get(disk.attach)
    if devices is None:
        return ("-drive", f"if={disk.attach},{drive}")
    return ("-drive", f"if=none,id=disk,{drive}", *(text for each in devices for text in ("-device", each)))


def _escaped(path: str) -> str:
    """Double commas, as QEMU wants them in values."""
    return path.replace(",", ",,")
