"""Which real peers this machine has."""

import functools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
GUEST = ROOT / ".cache" / "guest"


def _program(name: str) -> str:
    return "" if shutil.which(name) else f"no program {name!r}"


def _qemu() -> str:
    return _program("qemu-system-aarch64") or ("" if UBOOT.exists() else f"no {UBOOT}")


def _guest() -> str:
    absent = [name for name in ("Image", "initrd.gz") if not (GUEST / name).exists()]
    return _qemu() or (f"no {', '.join(absent)} in .cache/guest: run `make guest`" if absent else "")


def _network_namespace() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else _program("ip")


_PROBES: dict[str, Callable[[], str]] = {
    "qemu": _qemu,
    "guest": _guest,
    "socat": lambda: _program("socat"),
    "busybox": lambda: _program("busybox"),
    "bash": lambda: _program("bash"),
    "lrzsz": lambda: _program("rx"),
    "netns": _network_namespace,
}


@functools.cache
def missing(name: str) -> str:
    """Return why a peer cannot be had, or nothing when it can."""
    if name not in _PROBES:
        raise KeyError(f"no probe for peer {name!r}: add it to tests/support/peers.py")
    return _PROBES[name]()
