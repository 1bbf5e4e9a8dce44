"""QEMU's command line (QEMU documentation, "Invocation"): options to arguments, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.api import Size
from runner.modules.machine.options import Disk, Network

_DISK_DEVICES = {
    "nvme": ("nvme,drive=disk,serial=disk",),
    "scsi": ("virtio-scsi-pci", "scsi-hd,drive=disk"),
    "usb": ("usb-ehci", "usb-storage,drive=disk"),
}
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


def command_line(setup: Setup, *, monitor: int, serial: int) -> list[str]:
    """Return the arguments of a machine that waits for ``cont``.

    `monitor` and `serial` are the numbers of listening Unix sockets that it inherits. It is
    always emulated (TCG): a /dev/kvm that opens may still hang its guests.
    """
    cpu = setup.cpu or _DEFAULT_CPU.get((setup.arch, setup.machine.split(",")[0]), "")
    return [
        setup.binary or f"qemu-system-{setup.arch}",
        *("-nodefaults", "-display", "none", "-accel", "tcg", "-S"),
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
        *setup.arguments,
    ]


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
    devices = _DISK_DEVICES.get(disk.attach)
    if devices is None:
        return ("-drive", f"if={disk.attach},{drive}")
    return ("-drive", f"if=none,id=disk,{drive}", *(text for each in devices for text in ("-device", each)))


def _escaped(path: str) -> str:
    """Double commas, as QEMU wants them in values."""
    return path.replace(",", ",,")
