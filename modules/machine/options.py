"""What can be said about a virtual machine in an inventory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import MachineForward, Misfit, Options, Secret, Size, Unsupported, arg


class Disk(Options):
    """A medium of the machine, which is also the bench's storage."""

    path: str = arg(default="", help="the image on the host; empty: a temporary one")
    format: Literal["raw", "qcow2"] = arg(
        default="raw", help="raw can be flashed and dumped; qcow2 can hold snapshots of the whole machine"
    )
    capacity: Size = arg(default=Size("64MiB"), help="how much it holds; a larger image stays as it is")
    discard: bool = arg(default=False, help="throw away what the machine writes when it is switched off")
    attach: Literal["virtio", "sd", "ide", "scsi", "nvme", "usb"] = arg(
        default="virtio", help="how the machine sees it; which ones it has depends on the machine"
    )


class Forward(Options):
    """A port of the host that leads to a port of the guest."""

    host: int = arg(
        default=0, help="the port on the host; 0: a free one, which `vm_info` tells", minimum=0, maximum=65535
    )
    guest: int = arg(help="the port in the guest", minimum=1, maximum=65535)
    protocol: Literal["tcp", "udp"] = arg(default="tcp", help="which protocol is forwarded")
    address: str = arg(default="127.0.0.1", help="the address on the host")


class Network(Options):
    """QEMU's user network: the guest reaches the host as 10.0.2.2, and nobody reaches the guest."""

    forwards: dict[str, Forward] = arg(default={}, help="named ports of the host that lead into the guest")
    tftp: str = arg(default="", help="a folder of the host that 10.0.2.2 serves by TFTP")
    bootfile: str = arg(default="", help="the file that DHCP names")
    model: str = arg(default="", help="the network card, as QEMU names it; empty: the machine's own")


class Screen(Options):
    """A graphics card and a keyboard."""

    card: str = arg(default="", help="as QEMU names it; empty: VGA for PCs, virtio-gpu-pci for others")
    vnc: bool = arg(default=True, help="serve it by VNC, on a socket of the host")


class CloudInit(Options):
    """What a cloud image is told at its first start (cloud-init, data source NoCloud)."""

    hostname: str = arg(default="board", help="its name")
    user: str = arg(default="runner", help="a user that may become root without a password")
    password: Secret = arg(default=Secret(""), help="the user's; empty: none")
    ssh_keys: list[str] = arg(default=[], help="public keys that let the user in")
    user_data: str = arg(default="", help="in place of these: a whole #cloud-config, or a script")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse a text that cloud-init would pass over without a word."""
        text = given.get("user_data", "")
        if text and not text.startswith("#"):
            yield Misfit("user_data", "it begins with neither '#cloud-config' nor '#!'", "#cloud-config")


def forwarding(network: Network | None, forwards: Mapping[str, MachineForward]) -> Network:
    """Return a network with other forwards; raise Unsupported when there is none."""
    if network is None:
        raise Unsupported("this machine has no network", hint="give the device the option network: {}")
    made = {
        name: Forward(host=each.port, guest=each.guest, protocol=_protocol(each.protocol), address=each.host)
        for name, each in forwards.items()
    }
    return dataclasses.replace(network, forwards=made)


def _protocol(name: str) -> Literal["tcp", "udp"]:
    return "udp" if name == "udp" else "tcp"
