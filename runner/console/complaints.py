"""What boot loaders say when something is wrong, and what it means.

Texts are those of U-Boot 2023.01: arch/*/lib/image.c, arch/arm/lib/zimage.c, boot/bootm.c,
boot/image-board.c, boot/image-fdt.c, fs/fs.c, disk/part.c, net/net.c, net/tftp.c, net/bootp.c,
env/common.c; and of GRUB 2.06: grub-core/kern/err.c, loader/i386/linux.c.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Complaint(NamedTuple):
    """A line of a boot loader, and what it means."""

    meaning: str
    line: str


_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"Bad Linux (?:ARM64|RISCV|RISC-V) Image magic!", "there is no kernel image at that address"),
    (r"zimage: Bad magic!|Bad Linux Image magic", "there is no zImage at that address"),
    (
        r"Unsupported Architecture|Invalid architecture|invalid magic number|invalid arch",
        "wrong architecture",
    ),
    (r"Wrong Image (?:Format|Type) for|Unknown image format|Wrong Ramdisk Image", "bad image"),
    (r"Bad Magic Number|Bad Header Checksum|Bad Data CRC|Bad hash value", "bad image"),
    (r"ERROR: can't get kernel image|Can't find kernel|you need to load the kernel first", "bad image"),
    (
        r"Did not find a cmdline Flattened Device Tree|image is not a fdt|FDT creation failed",
        "no device tree",
    ),
    (r"Bad FDT|FDT and ATAGS support not compiled in|libfdt fdt_check_header", "bad device tree"),
    (r"Unrecognized filesystem type|unknown filesystem", "no filesystem"),
    (r"\*\* No partition table|\*\* Invalid partition|no such partition", "no such partition"),
    (r"\*\* Bad device specification|Unknown device|no such disk|Bad device \S", "no such device"),
    (r"File not found|\*\* Unable to read file|file [`'][^\n]*not found|Failed to load", "no such file"),
    (r"No ethernet found|No such device: eth", "no network interface"),
    (r"`(?:serverip|ipaddr)' not set|serverip not set", "no address: uboot_dhcp first, or set it"),
    (r"ARP Retry count exceeded|Retry (?:time|count) exceeded", "no answer from the network"),
    (r"TFTP error: ", "the TFTP server refuses"),
    (r"Unknown command", "this boot loader has no such command"),
    (r"\"\w+\" not defined", "a variable is not defined"),
    (r"Command not found|can't find command", "this boot loader has no such command"),
    (r"Please RESET the board|must RESET the board|resetting \.\.\.", "the boot loader gives up"),
)
_COMPILED = tuple((re.compile(pattern), meaning) for pattern, meaning in _MEANINGS)
GIVES_UP = r"### ERROR ### Please RESET the board|must RESET the board|^resetting \.\.\."
"""After these no prompt comes."""


def complaint(output: str) -> Complaint | None:
    r"""Return the last line of an output that is a known complaint.

    >>> complaint("Loading...\n** File not found /Image **\n")
    Complaint(meaning='no such file', line='** File not found /Image **')
    """
    for line in reversed(output.splitlines()):
        for pattern, meaning in _COMPILED:
            if pattern.search(line):
                return Complaint(meaning, line.strip())
    return None


def explained(output: str) -> str:
    """Return a complaint for the end of a message; empty when nothing is known.

    >>> explained("Bad Linux ARM64 Image magic!")
    ': there is no kernel image at that address (Bad Linux ARM64 Image magic!)'
    """
    found = complaint(output)
    return f": {found.meaning} ({found.line})" if found else ""
