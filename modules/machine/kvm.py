"""Whether the host's kernel runs guests (KVM): tried, for a /dev/kvm that opens may hang them all."""

from __future__ import annotations

import os
import platform
import struct
import subprocess
import tempfile
from pathlib import Path

from runner.api.process import end, popen

_SECTOR = bytes.fromhex("B0 10 E6 F4 EB FE").ljust(510, b"\0") + b"\x55\xaa"
"""A boot sector: mov al,0x10; out 0xf4,al; and stay there. Firmware runs before it, in real mode."""
_WORDS = struct.pack("<4I", 0x52800100, 0x72B08000, 0xD4000002, 0x14000000)
"""mov w0,#0x84000008; hvc #0; b . : SYSTEM_OFF (Arm DEN 0022, PSCI, section 5.9)."""
LIMIT = 3.0
"""Seconds for it: real KVM needs a tenth of one. One that emulates real mode slowly is as good as none."""
_EXIT = 0x10 << 1 | 1
"""What QEMU ends with when 0x10 is written to isa-debug-exit."""


def refusal(binary: str, arch: str, cpu: str, limit: float) -> str:
    """Say why a guest for `arch` on a `cpu` cannot be run by KVM here; empty when one has been."""
    if platform.machine() != arch:
        return f"this host is {platform.machine()}, the machine {arch}"
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
    except OSError as error:
        return f"/dev/kvm: {error.strerror}"
    return trial(binary, arch, "kvm", cpu or "host", limit)


def trial(binary: str, arch: str, accelerator: str, cpu: str, limit: float) -> str:
    """Run a guest that ends at once; say what it did instead, or nothing."""
    if arch not in ("x86_64", "aarch64"):
        return f"there is no guest to try it with for {arch}"
    with tempfile.TemporaryDirectory(prefix="runner-kvm-") as folder:
        program = Path(folder, "program")
        program.write_bytes(_SECTOR.ljust(2**20, b"\0") if arch == "x86_64" else _WORDS)
        special, wanted = _special(arch, str(program))
        common = [
            "-nodefaults",
            "-display",
            "none",
            "-accel",
            accelerator,
            "-cpu",
            cpu,
            "-m",
            "64M",
            "-no-reboot",
        ]
        process = popen([binary, *common, *special], stdout=subprocess.DEVNULL)
        try:
            _, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return f"a guest that should end at once has not within {limit:g}s"
        finally:
            end(process)
            if process.stderr:
                process.stderr.close()
    if process.returncode == wanted:
        return ""
    return f"QEMU ends with status {process.returncode}: {errors.decode(errors='replace').strip()}"


def _special(arch: str, program: str) -> tuple[list[str], int]:
    """Return the arguments for the processor, and the exit status of a guest that has run."""
    if arch == "aarch64":
        return ["-machine", "virt", "-kernel", program], 0
    drive = f"if=none,id=disk,file={program},format=raw,readonly=on"
    debug = "isa-debug-exit,iobase=0xf4,iosize=1"
    return [
        *("-machine", "pc", "-drive", drive, "-device", "virtio-blk-pci,drive=disk,bootindex=0"),
        *("-device", debug),
    ], _EXIT
