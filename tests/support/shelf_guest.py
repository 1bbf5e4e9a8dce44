"""A lab host in QEMU: Linux with Python, an SSH server and a real GPIO chip (pl061, 8 lines)."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.command import wait_until
from support.peers import GUEST, PYTHON_GUEST
from support.ssh_server import free_port

_LIMIT = 300.0


@dataclass(frozen=True, kw_only=True)
class ShelfGuest:
    """The host. `options` are those of a host of an inventory."""

    options: dict[str, Any]
    _monitor: socket.socket

    def press(self) -> None:
        """Press its power button, which is at line 3 of the chip: up, and down 0.1 s later."""
        self._monitor.sendall(json.dumps({"execute": "system_powerdown"}).encode() + b"\n")


@contextlib.contextmanager
def shelf_guest(folder: Path) -> Iterator[ShelfGuest]:
    """Boot it; end it at the end."""
    initrd, monitor, port = folder / "initrd", folder / "monitor", free_port()
    _join(initrd)
    command = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-accel", "tcg", "-m", "512"]
    command += ["-kernel", str(GUEST / "Image"), "-initrd", str(initrd), "-append", "console=ttyAMA0"]
    command += ["-nodefaults", "-display", "none", "-serial", f"file:{folder / 'console'}"]
    command += ["-netdev", f"user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"]
    command += ["-device", "virtio-net-pci,netdev=n", "-qmp", f"unix:{monitor},server=on,wait=off"]
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: _said(folder / "console", b"boot-complete"), "the guest has booted", _LIMIT)
        (folder / "known_hosts").write_text(_key(port), encoding="utf-8")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(monitor))
            connection.sendall(b'{"execute": "qmp_capabilities"}\n')
            yield ShelfGuest(options=_options(folder, port), _monitor=connection)
    finally:
        process.kill()
        process.wait(60)


def _options(folder: Path, port: int) -> dict[str, Any]:
    return {
        "address": "127.0.0.1",
        "port": port,
        "user": "root",
        "identity_file": str(PYTHON_GUEST / "identity"),
        "known_hosts": str(folder / "known_hosts"),
        "python": "/usr/bin/python3",
    }


def _join(initrd: Path) -> None:
    """Put two archives behind each other; the second one has to begin at a multiple of four bytes."""
    first, second = GUEST / "initrd.gz", PYTHON_GUEST / "python.cpio"
    head = first.read_bytes()
    initrd.write_bytes(head + bytes(-len(head) % 4) + second.read_bytes())


def _said(console: Path, word: bytes) -> bool:
    return console.exists() and word in console.read_bytes()


def _key(port: int) -> str:
    """Return the server's key as a line of known_hosts."""
    asked = ["ssh-keyscan", "-T", "60", "-t", "ed25519", "-p", str(port), "127.0.0.1"]
    return subprocess.run(
        asked, capture_output=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL
    ).stdout
