"""USB instruments played byte by byte: what they answer, and what was said to them.

Standard library only: they run under Debian's own Python, which has the library that puts them on a bus.
"""

from __future__ import annotations

import struct
from collections import deque
from pathlib import Path
from typing import Any

Setup = tuple[int, int, int, int, int]
"""bmRequestType, bRequest, wValue, wIndex, wLength (USB 2.0, section 9.3)."""
Answer = bytes | None
"""What is read, empty for a request without data; None is a stall."""
SILENT = b"\xff silent"
"""An answer that never comes."""


def device_descriptor(vendor: int, product: int, *, kind: int = 0, usb: int = 0x0200) -> bytes:
    return struct.pack("<BBHBBBBHHHBBBB", 18, 1, usb, kind, 0, 0, 64, vendor, product, 0x0100, 1, 2, 3, 1)


def configuration(*interfaces: bytes) -> bytes:
    length = 9 + sum(map(len, interfaces))
    return struct.pack("<BBHBBBBB", 9, 2, length, len(interfaces), 1, 0, 0x80, 50) + b"".join(interfaces)


def interface(number: int, kind: tuple[int, int, int], *endpoints: tuple[int, int, int]) -> bytes:
    """Describe an interface; an endpoint is its address, type (2 bulk, 3 interrupt) and packet size."""
    head = struct.pack("<BBBBBBBBB", 9, 4, number, 0, len(endpoints), *kind, 0)
    return head + b"".join(struct.pack("<BBBBHB", 7, 5, *each, 1) for each in endpoints)


class Model:
    """A device: what it says of itself, and its life. `log`: every request and report it was sent."""

    kind = 0
    usb = 0x0200
    driver = ""
    """The kernel's driver that has its interface until it is sent away."""

    def __init__(self, vendor: int, product: int, serial: str, name: str = "") -> None:
        self.vendor = vendor
        self.product = product
        self.serial = serial
        self.name = name
        self.log: list[str] = []
        self.faults: dict[str, Any] = {}

    def descriptors(self) -> bytes:
        return device_descriptor(self.vendor, self.product, kind=self.kind, usb=self.usb) + configuration(
            *self.interfaces()
        )

    def interfaces(self) -> tuple[bytes, ...]:
        return (interface(0, (0xFF, 0, 0)),)

    def control(self, setup: Setup, data: bytes) -> Answer:
        self.log.append(
            f"{setup[0]:02x} {setup[1]:02x} {setup[2]:04x} {setup[3]:04x}" + (data.hex() and " " + data.hex())
        )
        if "stall" in self.faults:
            return None
        if "silent" in self.faults:
            return SILENT
        return self.request(setup, data)

    def request(self, setup: Setup, data: bytes) -> Answer:
        return None

    def receive(self, data: bytes) -> None:
        """Take what came to its endpoint out."""

    def give(self) -> Answer:
        """Say what its endpoint in has; SILENT when there is nothing."""
        return SILENT


class Ykush(Model):
    """A YKUSH: six commands of one byte in a report, and a report back."""

    driver = "usbhid"

    def __init__(self, serial: str, product: int = 0xF2F7) -> None:
        super().__init__(0x04D8, product, serial, "YKUSH")
        self.ports = {1: False} if product == 0xF0CD else {1: False, 2: False, 3: False}
        self.size = 8 if product == 0x0042 else 64
        self.replies: deque[bytes] = deque()
        self.late = False
        """An answer comes when the next fault is set."""

    def interfaces(self) -> tuple[bytes, ...]:
        return (interface(0, (3, 0, 0), (0x81, 3, self.size), (0x01, 3, self.size)),)

    def receive(self, data: bytes) -> None:
        self.log.append(f"{len(data)} bytes: {data.rstrip(bytes(1)).hex()}")
        reply = self.answer(data[0])
        if "refuse" in self.faults and data[0] >> 4 != 2:
            reply = b"\xff"
        if "wrong" in self.faults:
            reply = bytes.fromhex(self.faults["wrong"])
        if "mute" not in self.faults:
            self.late = "late" in self.faults
            self.replies.append(reply.ljust(self.size, b"\0"))

    def answer(self, command: int) -> bytes:
        what, port = command & 0xF0, command & 0x0F
        ports = list(self.ports) if port == 0xA else [port]
        if what not in (0x00, 0x10, 0x20) or any(each not in self.ports for each in ports):
            return b"\xff"
        if what == 0x20:
            return bytes([1, (0x10 if self.ports[port] else 0) | port])
        for each in ports:
            self.ports[each] = self.ports[each] if "stuck" in self.faults else what == 0x10
        return bytes([1, port])

    def give(self) -> Answer:
        return self.replies.popleft() if self.replies and not self.late else SILENT


class Sdwire(Model):
    """An SDWire: its four pins, of which the first has the card; `card`: the file that the host sees."""

    def __init__(
        self, serial: str, name: str = "sd-wire", vendor: int = 0x04E8, product: int = 0x6001
    ) -> None:
        super().__init__(vendor, product, serial, name)
        self.pins = 0x0E
        self.card: Path | None = None

    def request(self, setup: Setup, data: bytes) -> Answer:
        if setup[:2] == (0x40, 0x0B) and setup[2] >> 8 == 0x20 and setup[3:] == (0, 0):
            if "stuck" not in self.faults:
                self.pins = setup[2] & 0x0F
            self.show_card()
            return b""
        if setup == (0xC0, 0x0C, 0, 0, 1):
            return b"" if "empty" in self.faults else bytes([self.pins])
        return None

    def show_card(self) -> None:
        """The reader is there always; it has a card when the host has it."""
        if self.card:
            self.card.write_bytes(bytes(4096) if self.pins & 1 else b"")


class Dutlink(Model):
    """A DUTLink: what its power and its mux were told last, and the texts that it has."""

    POWER = ("off", "on", "force_off", "force_on", "rescue")
    MUX = ("off", "host", "dut")

    def __init__(self, serial: str) -> None:
        super().__init__(0x2B23, 0x1012, serial, "DUTLink")
        self.power = ""
        self.mux = "dut"
        self.card: Path | None = None
        self.prepared = False

    def interfaces(self) -> tuple[bytes, ...]:
        return (interface(0, (2, 2, 1)), interface(1, (0x0A, 0, 0)), interface(2, (0xFF, 1, 1)))

    def request(self, setup: Setup, data: bytes) -> Answer:
        kind, request, value, index, length = setup
        if index != 2:
            return None
        if kind == 0x41 and length == 0:
            return self.order(request, value)
        if kind == 0xC1 and request == 0x04 and value < 4 and self.prepared:
            self.prepared = False
            texts = ["1.2", "12.0V 0.5A 6.0W" if self.power != "off" else "12.0V 0.0A 0.0W", "12.0V", "0.5A"]
            return bytes.fromhex(self.faults.get("text", "")) or texts[value].encode() + b"\0\0"
        return None

    def order(self, request: int, value: int) -> Answer:
        if request == 0x00:
            self.prepared = True
        elif request == 0x01 and value < 5:
            self.power = self.POWER[value]
        elif request == 0x02 and value < 3:
            self.mux = self.MUX[value]
            self.show_card()
        else:
            return None
        return b""

    def show_card(self) -> None:
        if self.card:
            self.card.write_bytes(bytes(4096) if self.mux == "host" else b"")


class Hub(Model):
    """A hub with power switches (USB 2.0, section 11.24; USB 3.2, section 10.16)."""

    kind = 9
    driver = "hub"
    POWER, CONNECTED = 8, 0

    def __init__(
        self, serial: str = "", ports: int = 4, *, super_speed: bool = False, switching: int = 1
    ) -> None:
        super().__init__(0x05E3, 0x0620 if super_speed else 0x0610, serial, "USB Hub")
        self.usb = 0x0320 if super_speed else 0x0210
        self.super_speed = super_speed
        self.characteristics = switching
        self.ports = dict.fromkeys(range(1, ports + 1), False)

    def interfaces(self) -> tuple[bytes, ...]:
        return (interface(0, (9, 0, 0), (0x81, 3, 1)),)

    def request(self, setup: Setup, data: bytes) -> Answer:
        kind, request, value, index, length = setup
        if (kind, request, value) == (0xA0, 6, 0x2A00 if self.super_speed else 0x2900):
            if self.super_speed and length < 12:
                return None
            rest = struct.pack("<BHBB", len(self.ports), self.characteristics, 50, 100)
            return (bytes([12 if self.super_speed else 9, value >> 8]) + rest + bytes(4))[:length]
        if index not in self.ports:
            return None
        if kind == 0x23 and request in (1, 3) and value == self.POWER and length == 0:
            if "refuse" in self.faults:
                return None
            self.ports[index] = self.ports[index] if "stuck" in self.faults else request == 3
            return b""
        if (kind, request, value, length) == (0xA3, 0, 0, 4):
            power = 0x200 if self.super_speed else 0x100
            return b"" if "empty" in self.faults else struct.pack("<HH", power if self.ports[index] else 0, 0)
        return None


class SdMux(Model):
    """A USB-SD-Mux: a card reader whose vendor commands reach the registers of a chip on I2C."""

    def __init__(self, serial: str, *, fast: bool = True) -> None:
        super().__init__(0x0424, 0x4041, serial, "usb_sd_mux")
        self.scsi = "sdFST HS-SD/MMC" if fast else "sdmux HS-SD/MMC"
        self.address, self.data, self.board = (0x20, 4, 1) if fast else (0x41, 1, 4)
        self.held = self.board
        """What resistors hold while the chip drives nothing."""
        self.registers = {1: 0xFF, 3: 0xFF}
        self.card: Path | None = None

    def interfaces(self) -> tuple[bytes, ...]:
        return (interface(0, (8, 6, 0x50), (0x81, 2, 512), (0x02, 2, 512)),)

    def inputs(self) -> int:
        driven = ~self.registers[3] & 0xFF
        return (self.registers[1] & driven) | (self.held & ~driven)

    def command(self, words: bytes, data: bytes) -> tuple[int, int, bytes]:
        """Return the device's status, the host's, and what is read."""
        self.log.append(
            f"{words.rstrip(bytes(1)).hex(' ')}" + (f": {data[: words[5]].hex(' ')}" if data else "")
        )
        if "silent" in self.faults:
            return 0, 3, b""
        if "stall" in self.faults or words[0] != 0xCF or words[2] != self.address << 1:
            return 2, 0, b""
        if words[1] == 0x23:
            if "stuck" not in self.faults:
                self.registers[data[0]] = data[1]
            self.show_card()
            return 0, 0, b""
        return 0, 0, bytes([self.inputs() if words[7] == 0 else self.registers[words[7]]])

    def show_card(self) -> None:
        if self.card:
            at_host = not self.inputs() & (2 | self.board | self.data | 8)
            self.card.write_bytes(bytes(4096) if at_host else b"")


MODELS = {"sd_mux": SdMux, "hub": Hub, "ykush": Ykush, "sdwire": Sdwire, "dutlink": Dutlink}
