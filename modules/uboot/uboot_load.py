"""Load a file into the board's memory with U-Boot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Union

from runner.api import Context, Duration, Failed, FilePath, Module, RecipeFault, Result, Size, arg, device
from runner.console import Console, Ran, explained
from runner.modules.uboot.serial_load import Image, Protocol, check_size, read_image, send, time_limit

_PREPARES: Mapping[str, str] = MappingProxyType(
    {"usb": "usb start", "scsi": "scsi scan", "nvme": "nvme scan", "virtio": "virtio scan"}
)
"""What finds the devices of an interface (U-Boot documentation, cmd/usb.c, cmd/scsi.c, cmd/nvme.c)."""
_COUNT = re.compile(r"Bytes transferred = (\d+)|(\d+) bytes read|Total Size +=.*= (-?\d+) Bytes")
_SUM = re.compile(r"==> ([0-9a-fA-F]{8})")
_TAIL = 20
_USUAL_LIMIT = Duration("2m")


class Loaded(Result):
    """What is in the memory now."""

    address: str
    """Where, in hexadecimal digits."""
    size: Size
    crc32: str | None
    """Eight hexadecimal digits; null when it was not asked for."""
    method: Literal["tftp", "storage", "ymodem", "xmodem"]
    resent: int = 0
    """Blocks that were sent again over the serial line, because they had arrived damaged."""
    elapsed: Duration


class UbootLoad(Module):
    """Load a file into the board's memory at the U-Boot prompt, and check its size and sum.

    `tftp` takes it from a TFTP server (uboot_dhcp first), `storage` from a filesystem that U-Boot
    can read. `ymodem` and `xmodem` send an image from the bench's host over the console itself, by
    U-Boot's `loady` and `loadx`: about 10 KB a second at 115200 bit/s. Its size and crc32 are
    compared always. `baudrate` has both ends go faster for its time; tried on pseudo-terminals, not
    yet at the speeds of a real UART.

    Example::

        - uboot_dhcp:
        - uboot_load: {file: Image, address: "${kernel_addr_r}", crc32: "{{ image | crc32 }}"}
        - uboot_load: {file: /boot/Image, method: storage, source: "mmc 0:1"}
        - uboot_load: {image: build/u-boot.bin}
        - uboot_load: {image: build/Image, baudrate: 921600}
          timeout: 15m
    """

    limited_by = "timeout"

    file: str = arg(
        default="",
        primary=True,
        help="for tftp and storage: the file's name on the server, or its path in the filesystem",
    )
    image: FilePath | None = arg(
        default=None, help="for ymodem and xmodem: the file on the bench's host that is sent"
    )
    method: Literal["auto", "tftp", "storage", "ymodem", "xmodem"] = arg(
        default="auto", help="where it comes from; auto: ymodem for an image, tftp for a file"
    )
    source: str = arg(
        default="", help="interface and device:partition, for storage (virtio 0:1, mmc 0:1, usb 0 …)"
    )
    baudrate: int | None = arg(
        default=None,
        help="for ymodem and xmodem: the speed while it is sent; the console's own when left out",
        minimum=1,
    )
    server: str = arg(default="", help="the TFTP server; empty: U-Boot's serverip")
    address: str = arg(
        default="${loadaddr}", help="where it goes: hexadecimal digits, or ${…} of U-Boot's environment"
    )
    size: Size | None = arg(default=None, help="how many bytes it must have")
    crc32: Union[str, int, None] = arg(
        default=None, help="the sum it must have, a number or 8 hexadecimal digits"
    )
    timeout: Duration | None = arg(
        default=None,
        help="how long it may take; when left out 2m, for an image 3 times as long as its bits, at least 1m",
    )
    console: Console = device(help="the console with U-Boot")

    def run(self, context: Context) -> Loaded:
        """Load it, then compare size and sum."""
        self._refuse_what_does_not_fit()
        if self.image is None:
            return self._load(context)
        return self._receive(read_image(self.image), context)

    def _refuse_what_does_not_fit(self) -> None:
        serial = self.method in ("ymodem", "xmodem") or (self.method == "auto" and self.image is not None)
        wanted, other = ("image", "file") if serial else ("file", "image")
        if not getattr(self, wanted):
            raise RecipeFault(f"uboot_load needs {wanted!r} with method: {self.method}")
        if getattr(self, other):
            raise RecipeFault(f"uboot_load takes 'file' or 'image', not both; {self.method} takes {wanted!r}")
        if serial and (self.source or self.server):
            raise RecipeFault("uboot_load takes a source and a server for files only, not for an image")
        if self.baudrate is not None and not serial:
            raise RecipeFault("uboot_load takes a baudrate for an image only")

    def _load(self, context: Context) -> Loaded:
        wanted = _digits(self.crc32)
        address = self._resolved(context)
        ran = self._checked(self._command(address, context), context)
        size = _counted(ran)
        self._compare_size(size, self.file)
        return Loaded(
            address=address,
            size=Size(size),
            crc32=self._summed(address, size, wanted, context) if wanted else None,
            method="storage" if self.method == "storage" else "tftp",
            elapsed=ran.elapsed,
        )

    def _receive(self, image: Image, context: Context) -> Loaded:
        """Send an image over the console, and compare what U-Boot has of it."""
        protocol: Protocol = "xmodem" if self.method == "xmodem" else "ymodem"
        size, wanted = len(image.content), _digits(self.crc32)
        self._compare_size(size, str(image.path))
        if wanted and wanted != image.crc32:
            raise Failed(
                f"the crc32 of {str(image.path)!r} is {image.crc32}, expected {wanted}; nothing was sent",
                evidence={"expected": wanted, "actual": image.crc32},
            )
        address = self._resolved(context)
        limit = self.timeout or time_limit(image, self.console, self.baudrate, context)
        ran, resent = send(
            image, address, protocol, self.console, context, baudrate=self.baudrate, timeout=limit
        )
        told = _counted(ran)
        check_size(image, told, protocol)
        summed = self._summed(address, size, image.crc32, context) if self._can_sum(context) else None
        if told != size:
            self.console.set_env("filesize", f"{size:x}", context, timeout=self._limit)
        return Loaded(
            address=address,
            size=Size(size),
            crc32=summed,
            method=protocol,
            resent=resent,
            elapsed=ran.elapsed,
        )

    def _can_sum(self, context: Context) -> bool:
        """Tell whether this U-Boot has crc32; say so when it has not."""
        ran = self.console.run_uboot("help crc32", context, timeout=self._limit)
        found = "crc32 - " in ran.output  # help ends with status 1, whatever it has found
        if not found:
            context.log("this U-Boot has no crc32: only the size of what arrived is compared", "warning")
        return found

    def _compare_size(self, size: int, name: str) -> None:
        if self.size is not None and size != self.size:
            raise Failed(
                f"{name} has {size} bytes, expected {int(self.size)}",
                evidence={"expected": int(self.size), "actual": size},
            )

    @property
    def _limit(self) -> Duration:
        return self.timeout or _USUAL_LIMIT

    def _command(self, address: str, context: Context) -> str:
        """Make ready and return the command that loads."""
        if self.method == "storage":
            return self._from_storage(address, context)
        if self.source:
            raise RecipeFault("uboot_load takes a source with method: storage only")
        if self.server:
            self.console.set_env("serverip", self.server, context, timeout=self._limit)
        return f"tftpboot {address} {_word(self.file)}"

    def _from_storage(self, address: str, context: Context) -> str:
        interface, _, part = self.source.partition(" ")
        if not interface or not part:
            raise RecipeFault(f"uboot_load needs a source such as 'mmc 0:1', not {self.source!r}")
        if self.server:
            raise RecipeFault("uboot_load takes a server with method: tftp only")
        if interface in _PREPARES:
            self._checked(_PREPARES[interface], context)
        return f"load {interface} {part} {address} {_word(self.file)}"

    def _resolved(self, context: Context) -> str:
        """Return the address in digits: what is in a variable now may change by loading."""
        found = re.fullmatch(r"\$\{?(\w+)\}?", self.address)
        if not found:
            return _hexadecimal(self.address)
        value = self.console.get_env(found[1], context, timeout=self._limit)
        if not value:
            raise Failed(
                f"U-Boot has no variable {found[1]!r} with an address", hint="write address: in digits"
            )
        return _hexadecimal(value)

    def _summed(self, address: str, size: int, wanted: str, context: Context) -> str:
        ran = self._checked(f"crc32 {address} {size:x}", context)
        found = _SUM.search(ran.output)
        if found is None:
            raise Failed("U-Boot's crc32 printed no sum", evidence={"output": ran.output})
        if found[1].lower() != wanted:
            raise Failed(
                f"the crc32 of {self.file} in memory is {found[1].lower()}, expected {wanted}",
                evidence={"expected": wanted, "actual": found[1].lower(), "size": size},
                hint="is it the file that you think, and does the memory work?",
            )
        return wanted

    def _checked(self, command: str, context: Context) -> Ran:
        ran = self.console.run_uboot(command, context, timeout=self._limit)
        if ran.status:
            raise Failed(
                f"exit status {ran.status}, expected 0: {command}{explained(ran.output)}",
                evidence={"status": ran.status, "output": "\n".join(ran.output.splitlines()[-_TAIL:])},
            )
        return ran


def _counted(ran: Ran) -> int:
    """Return how many bytes were loaded, from what the command printed."""
    found = list(_COUNT.finditer(ran.output))
    if not found:
        raise Failed(
            f"U-Boot did not say how much it has loaded{explained(ran.output)}",
            evidence={"status": ran.status, "output": ran.output},
        )
    return int(next(filter(None, found[-1].groups())))


def _digits(crc32: str | int | None) -> str:
    """Return a sum as eight small hexadecimal digits; empty for none.

    >>> _digits(0xDEADBEEF), _digits("0xDEADBEEF")
    ('deadbeef', 'deadbeef')
    """
    if crc32 is None:
        return ""
    text = f"{crc32:08x}" if isinstance(crc32, int) else crc32.lower().removeprefix("0x")
    if re.fullmatch(r"[0-9a-f]{8}", text) is None:
        raise RecipeFault(f"crc32 must have 8 hexadecimal digits, not {crc32!r}")
    return text


def _hexadecimal(text: str) -> str:
    """Return an address without 0x.

    >>> _hexadecimal("0x40200000")
    '40200000'
    """
    digits = text.lower().removeprefix("0x")
    if re.fullmatch(r"[0-9a-f]+", digits) is None:
        raise RecipeFault(f"{text!r} is not an address in hexadecimal digits")
    return digits


def _word(text: str) -> str:
    """Quote a file's name if U-Boot's parser would take it apart."""
    if re.fullmatch(r"[\w./:+,@%=-]+", text):
        return text
    if "'" in text:
        raise RecipeFault(f"{text!r} holds a quote, which no U-Boot takes in a file's name")
    return f"'{text}'"
