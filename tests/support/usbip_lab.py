"""USB instruments that the kernel of the lab VM has plugged in: the models of `usb_models`, over USB/IP."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.usb_models import SILENT, Dutlink, Model, Sdwire
from usbip import Interface, USBDevice
from usbip.classes.device import CDCACM
from usbip.classes.device.msc import MSC, SENSE_NOT_READY
from usbip.device import Stall
from usbip.transport import USBIP

BLOCK = 512


class Played(Interface):
    """The interface whose requests a model answers, also those to the device."""

    def __init__(self, model: Model, kind: tuple[int, int, int] = (0xFF, 0, 0)) -> None:
        self.bInterfaceClass, self.bInterfaceSubClass, self.bInterfaceProtocol = kind
        super().__init__()
        self._model = model

    def on_control(self, setup: Any, data: bytes = b"") -> bytes:
        words = (setup.bmRequestType, setup.bRequest, setup.wValue, setup.wIndex, setup.wLength)
        answer = self._model.control(words, data)
        if answer is None or answer is SILENT:
            raise Stall
        return answer


class Content:
    """What is on a card."""

    block_size = BLOCK

    def __init__(self, length: int = 4 << 20) -> None:
        self.data = bytearray(length)
        self.num_blocks = length // BLOCK

    def read(self, block: int, count: int) -> bytes:
        return bytes(self.data[block * BLOCK : (block + count) * BLOCK])

    def write(self, block: int, count: int, data: bytes) -> None:
        del count
        self.data[block * BLOCK : block * BLOCK + len(data)] = data


class Reader(MSC):  # type: ignore[misc]
    """A card reader, which has a card while the host has it."""

    def __init__(self, mux: Sdwire, card: Content) -> None:
        super().__init__(card)
        self._mux = mux

    def _dispatch(self, lun: int, tag: int, length: int, words: bytes) -> None:
        if words[0] in {0x00, 0x25, 0x28, 0x2A} and not self._mux.pins & 1:
            self._fail(lun, tag, length, SENSE_NOT_READY, "no card")
        else:
            super()._dispatch(lun, tag, length, words)


class Bench:
    """An SDWire with its reader, and a DUTLink whose console echoes."""

    def __init__(self) -> None:
        self.sdwire = Sdwire("sdw-07")
        self.card = Content()
        self.dutlink = Dutlink("dl-1")
        self.devices = {
            "sdwire": _device(self.sdwire),
            "reader": USBDevice(0x0424, 0x4050, product="Ultra Fast Media", serial="reader-07"),
            "dutlink": USBDevice(self.dutlink.vendor, self.dutlink.product, product="DUTLink", serial="dl-1"),
        }
        self.devices["reader"].add(Reader(self.sdwire, self.card))
        self.devices["dutlink"].set_composite()
        self.devices["dutlink"].add(CDCACM())
        self.devices["dutlink"].add(Played(self.dutlink, (0xFF, 1, 1)))

    @contextmanager
    def plugged(self) -> Iterator[None]:
        """Plug all of it into this machine."""
        port = _free_port()
        try:
            for device in self.devices.values():
                device.plug(via=USBIP("127.0.0.1", port))
            for number in range(1, len(self.devices) + 1):
                command = ["usbip", "--tcp-port", str(port), "attach", "-r", "127.0.0.1", "-b", f"1-{number}"]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr
            yield
        finally:
            for device in self.devices.values():
                device.unplug()


def _device(model: Model) -> USBDevice:
    device = USBDevice(model.vendor, model.product, product=model.name, serial=model.serial)
    played = Played(model)
    device.add(played)
    device.on_control(None, played.on_control)
    return device


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number: int = listening.getsockname()[1]
        return number
