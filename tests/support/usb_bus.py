"""A USB bus for a test: devices on umockdev that libusb finds, opens and talks to as if they were real.

Run by Debian's Python, which has its library; told what to do by lines of JSON on standard input, and
answers each by one on standard output. A program sees the bus with LD_PRELOAD and UMOCKDEV_DIR set.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

import gi

sys.path.insert(0, str(Path(__file__).parent))
gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402
from usb_models import MODELS, SILENT, Model  # noqa: E402

ENOENT, EAGAIN, EBUSY, ENODEV, ENOTTY, EPIPE, ENODATA = 2, 11, 16, 19, 25, 32, 61
URB_SIZE = 56


class Plug(UMockdev.IoctlBase):  # type: ignore[misc]
    """A device in its socket: the kernel's side of its file."""

    def setup(self, model: Model) -> None:
        self.model = model
        self.driver = model.driver
        self.done: dict[int, list[Any]] = {}
        self.waiting: dict[int, list[Any]] = {}
        self.claims: dict[int, int] = {}
        self.gone = False

    def do_handle_ioctl(self, client: Any) -> bool:
        number = client.get_request() & 0xFF
        if self.gone:
            client.complete(-1, ENODEV)
            return True
        status, error = self.ioctl(number, client)
        client.complete(status, error)
        return True

    def do_client_vanished(self, client: Any) -> None:
        self.claims = {key: owner for key, owner in self.claims.items() if owner != hash(client)}

    def ioctl(self, number: int, client: Any) -> tuple[int, int]:
        """Do what usbdevfs.h calls an ioctl of this number; return its status and errno."""
        known = {
            4: self.nothing,  # SETINTERFACE
            5: self.nothing,  # SETCONFIGURATION
            8: self.get_driver,
            10: self.submit,
            11: self.discard,
            12: self.reap,
            13: self.reap,  # without waiting
            15: self.claim,
            16: self.release,
            18: self.send_driver_away,  # IOCTL, of which only this one comes
            20: self.nothing,  # RESET
            21: self.nothing,  # CLEAR_HALT
            26: self.capabilities,
            31: lambda _client: (2, 0),  # GET_SPEED: full
        }
        return known.get(number, lambda _client: (-1, ENOTTY))(client)

    def nothing(self, client: Any) -> tuple[int, int]:
        return 0, 0

    def capabilities(self, client: Any) -> tuple[int, int]:
        client.get_arg().resolve(0, 4).update(0, struct.pack("<I", 0))
        return 0, 0

    def release(self, client: Any) -> tuple[int, int]:
        self.claims.pop(self.number(client), None)
        self.model.log.append("released")
        return 0, 0

    def number(self, client: Any) -> int:
        data = bytes(client.get_arg().resolve(0, 4).retrieve())
        return int.from_bytes(data, "little")

    def claim(self, client: Any) -> tuple[int, int]:
        number = self.number(client)
        if (
            self.driver
            or self.claims.get(number, hash(client)) != hash(client)
            or "busy" in self.model.faults
        ):
            return -1, EBUSY
        self.claims[number] = hash(client)
        self.model.log.append("claimed")
        return 0, 0

    def get_driver(self, client: Any) -> tuple[int, int]:
        if not self.driver:
            return -1, ENODATA
        client.get_arg().resolve(0, 260).update(4, self.driver.encode() + b"\0")
        return 0, 0

    def send_driver_away(self, client: Any) -> tuple[int, int]:
        if not self.driver:
            return -1, ENODATA
        self.model.log.append(f"{self.driver} sent away")
        self.driver = ""
        return 0, 0

    def submit(self, client: Any) -> tuple[int, int]:
        urb = client.get_arg().resolve(0, URB_SIZE)
        raw = bytes(urb.retrieve())
        kind, endpoint = raw[0], raw[1]
        length = struct.unpack_from("<i", raw, 24)[0]
        buffer = urb.resolve(16, length) if length else None
        answer = self.transfer(kind, endpoint, bytes(buffer.retrieve()) if buffer else b"")
        owner = hash(client)
        if answer is SILENT:
            self.waiting.setdefault(owner, []).append((urb, kind, endpoint, buffer, length))
        else:
            self.complete(owner, urb, kind, endpoint, buffer, length, answer)
        self.deliver()
        return 0, 0

    def transfer(self, kind: int, endpoint: int, data: bytes) -> bytes | None:
        if kind == 2:
            setup = struct.unpack_from("<BBHHH", data)
            return self.model.control(setup, b"" if setup[0] & 0x80 else data[8:])
        if "stall" in self.model.faults:
            return None
        if endpoint & 0x80:
            return self.model.give()
        self.model.receive(data)
        return b""

    def deliver(self) -> None:
        """Let reads that wait have what has come meanwhile."""
        for owner, urbs in self.waiting.items():
            for each in list(urbs):
                if each[1] != 2 and (answer := self.model.give()) is not SILENT:
                    urbs.remove(each)
                    self.complete(owner, *each, answer)

    def complete(
        self, owner: int, urb: Any, kind: int, endpoint: int, buffer: Any, length: int, answer: bytes | None
    ) -> None:
        status, actual = 0, 0
        reads = bool(buffer and (bytes(buffer.retrieve())[0] if kind == 2 else endpoint) & 0x80)
        if answer is None:
            status = -EPIPE
        elif reads:
            offset = 8 if kind == 2 else 0
            answer = answer[: length - offset]
            if answer:
                buffer.update(offset, answer)
            actual = len(answer)
        else:
            actual = length - (8 if kind == 2 else 0)
        urb.update(4, struct.pack("<i", status))
        urb.update(28, struct.pack("<i", actual))
        self.done.setdefault(owner, []).append(urb)

    def discard(self, client: Any) -> tuple[int, int]:
        owner = hash(client)
        waiting = self.waiting.get(owner, [])
        if not waiting:
            return -1, ENOENT
        urb = waiting.pop()[0]
        urb.update(4, struct.pack("<i", -ENOENT))
        urb.update(28, struct.pack("<i", 0))
        self.done.setdefault(owner, []).append(urb)
        return 0, 0

    def reap(self, client: Any) -> tuple[int, int]:
        done = self.done.get(hash(client), [])
        if not done:
            return -1, EAGAIN
        client.get_arg().resolve(0, 8).set_ptr(0, done.pop(0))
        return 0, 0


class Generic(UMockdev.IoctlBase):  # type: ignore[misc]
    """The kernel's side of a file of SCSI commands (scsi/sg.h, on a machine of 64 bits)."""

    def setup(self, model: Model) -> None:
        self.model = model
        self.gone = False

    def do_handle_ioctl(self, client: Any) -> bool:
        if self.gone or client.get_request() != 0x2285:
            client.complete(-1, ENODEV if self.gone else ENOTTY)
            return True
        request = client.get_arg().resolve(0, 88)
        raw = bytes(request.retrieve())
        writes = struct.unpack_from("<i", raw, 4)[0] == -2
        length = struct.unpack_from("<I", raw, 12)[0]
        words = bytes(request.resolve(24, raw[8]).retrieve())
        buffer = request.resolve(16, length)
        status, host, answer = self.model.command(words, bytes(buffer.retrieve()) if writes else b"")
        if answer:
            buffer.update(0, answer)
        request.update(64, bytes([status, status >> 1, 0, 0]) + struct.pack("<HH", host, 0))
        client.complete(0, 0)
        return True


def path(location: str) -> str:
    """Return where a device is in sysfs: below every hub on the way to it."""
    bus, _, ports = location.partition("-")
    numbers = ports.split(".")
    hubs = [f"{bus}-{'.'.join(numbers[: each + 1])}" for each in range(len(numbers))]
    return f"/devices/pci0000:00/0000:00:14.0/usb{bus}/{'/'.join(hubs)}"


class Bus:
    """The bus: root hubs, and what is plugged into them."""

    def __init__(self) -> None:
        self.testbed = UMockdev.Testbed.new()
        self.plugs: dict[str, Plug] = {}
        self.disks: dict[str, str] = {}
        self.ttys: dict[str, str] = {}
        self.generic: dict[str, Generic] = {}
        self.generics: dict[str, tuple[str, str]] = {}
        self.addresses = 1
        Path(self.testbed.get_root_dir()).chmod(0o755)

    def plug(self, location: str, model: str, mode: int = 0o666, **options: Any) -> None:
        self.addresses += 1
        made = MODELS[model](**options)
        self.add(location, made)
        node = f"/dev/bus/usb/{int(location.partition('-')[0]):03}/{self.addresses:03}"
        plug = Plug()
        plug.setup(made)
        self.testbed.attach_ioctl(node, plug)
        plug.node = self.testbed.get_root_dir() + node
        self.plugs[location] = plug
        Path(plug.node).chmod(mode)
        self.open_to_all(Path(self.testbed.get_root_dir(), "ioctl"))

    def plug_disk(self, location: str, name: str, of: str = "") -> None:
        """Add a reader with a disk; its card is that of the mux `of`, or there always."""
        folder = f"{path(location)}/{location}:1.0/host0/target0:0:0/0:0:0:0/block/{name}"
        lines = [
            f"P: {folder}",
            f"N: {name}",
            "E: DEVTYPE=disk",
            f"E: DEVNAME=/dev/{name}",
            "E: SUBSYSTEM=block",
        ]
        self.testbed.add_from_string("\n".join(lines) + "\n\n")
        self.disks[location] = folder
        node = Path(self.testbed.get_root_dir(), "dev", name)
        node.write_bytes(bytes(4096))
        if of:
            self.plugs[of].model.card = node
            self.plugs[of].model.show_card()

    def plug_generic(self, location: str) -> None:
        """Add the file of SCSI commands, of a new name, to a card reader that is plugged in."""
        name = f"sg{self.addresses}"
        plug, root = self.plugs[location], self.testbed.get_root_dir()
        scsi = f"{path(location)}/{location}:1.0/host0/target0:0:0/0:0:0:0"
        lines = [
            f"P: {scsi}/scsi_generic/{name}",
            f"N: {name}",
            f"E: DEVNAME=/dev/{name}",
            "E: SUBSYSTEM=scsi_generic",
        ]
        self.testbed.add_from_string("\n".join(lines) + "\n\n")
        Path(f"{root}/sys{scsi}/model").write_text(plug.model.scsi + "\n", encoding="ascii")
        self.generic[location] = Generic()
        self.generic[location].setup(plug.model)
        self.testbed.attach_ioctl(f"/dev/{name}", self.generic[location])
        self.open_to_all(Path(root, "ioctl"))
        self.generics[location] = (name, f"{scsi}/scsi_generic/{name}")

    def unplug_generic(self, location: str) -> None:
        root = Path(self.testbed.get_root_dir())
        name, folder = self.generics.pop(location)
        self.testbed.detach_ioctl(f"/dev/{name}")
        for each in ("sys/class/scsi_generic", "dev"):
            (root / each / name).unlink()
        shutil.rmtree(f"{root}/sys{folder}")

    def unplug_disk(self, location: str) -> None:
        folder = self.disks.pop(location)
        root, name = Path(self.testbed.get_root_dir()), folder.rpartition("/")[2]
        for each in ("sys/class/block", "sys/block", "dev"):
            (root / each / name).unlink()
        shutil.rmtree(f"{root}/sys{folder}")

    def plug_tty(self, location: str, name: str, to: str) -> None:
        """Add a serial port to a device; `to`: the terminal behind it."""
        folder = f"{path(location)}/{location}:1.0/tty/{name}"
        self.testbed.add_from_string(f"P: {folder}\nE: DEVNAME=/dev/{name}\nE: SUBSYSTEM=tty\n\n")
        node = Path(self.testbed.get_root_dir(), "dev", name)
        node.unlink(missing_ok=True)
        node.symlink_to(to)
        self.ttys[name] = folder

    def unplug_tty(self, name: str) -> None:
        root = Path(self.testbed.get_root_dir())
        for each in ("sys/class/tty", "dev"):
            (root / each / name).unlink()
        shutil.rmtree(f"{root}/sys{self.ttys.pop(name)}")

    def pair(self, location: str, port: int, twin: str, number: int) -> None:
        """Have the kernel say that two ports are one socket."""
        root = f"{self.testbed.get_root_dir()}/sys"
        ports = [
            Path(f"{root}{path(hub)}/{hub}:1.0/{hub}-port{each}")
            for hub, each in ((location, port), (twin, number))
        ]
        for each in ports:
            each.mkdir(parents=True)
        (ports[0] / "peer").symlink_to(os.path.relpath(ports[1], ports[0]))

    def open_to_all(self, folder: Path) -> None:
        """Let other users reach the sockets behind the devices' files; these have modes of their own."""
        for each in (folder, *folder.rglob("*")):
            each.chmod(0o777)

    def add(self, location: str, made: Model) -> None:
        bus, number = int(location.partition("-")[0]), self.addresses
        strings = {"serial": made.serial, "product": made.name}
        lines = [
            f"P: {path(location)}",
            f"N: bus/usb/{bus:03}/{number:03}",
            f"E: BUSNUM={bus:03}",
            f"E: DEVNUM={number:03}",
            f"E: DEVNAME=/dev/bus/usb/{bus:03}/{number:03}",
            "E: DEVTYPE=usb_device",
            "E: SUBSYSTEM=usb",
            "A: bConfigurationValue=1\\n",
            f"A: bDeviceClass={made.kind:02x}\\n",
            f"A: busnum={bus}\\n",
            f"A: devnum={number}\\n",
            f"A: devpath={location.partition('-')[2]}\\n",
            f"A: idVendor={made.vendor:04x}\\n",
            f"A: idProduct={made.product:04x}\\n",
            f"A: version= {made.usb >> 8:x}.{made.usb & 0xFF:02x}\\n",
            f"A: speed={'5000' if made.usb >= 0x0300 else '480'}\\n",
            *(f"A: {key}={value}\\n" for key, value in strings.items() if value),
            f"H: descriptors={made.descriptors().hex().upper()}",
        ]
        self.testbed.add_from_string("\n".join(lines) + "\n\n")

    def unplug(self, location: str) -> None:
        plug = self.plugs.pop(location)
        plug.gone = True
        self.testbed.remove_device("/sys" + path(location))

    def vanish(self, location: str) -> None:
        """Be gone from the next ioctl on, before the kernel has noticed."""
        self.plugs[location].gone = True
        if location in self.generic:
            self.generic[location].gone = True

    def fault(self, location: str, **faults: Any) -> None:
        self.plugs[location].model.faults = faults

    def say_late(self, location: str) -> None:
        """Let an answer that was held back come now."""
        self.plugs[location].model.late = False

    def log(self, location: str) -> list[str]:
        model = self.plugs[location].model
        log, model.log = model.log, []
        return log

    def node(self, location: str) -> str:
        return str(self.plugs[location].node)

    def root(self) -> str:
        return str(self.testbed.get_root_dir())


def main() -> None:
    bus = Bus()
    loop = GLib.MainLoop()

    def told(_source: Any, _condition: Any) -> bool:
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        name, arguments = json.loads(line)
        try:
            answer: Any = {"answer": getattr(bus, name)(**arguments)}
        except Exception as error:  # noqa: BLE001 - told to the test
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        return True

    GLib.io_add_watch(
        sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, told
    )
    loop.run()


if __name__ == "__main__":
    main()
