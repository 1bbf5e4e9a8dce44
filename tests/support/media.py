"""Media that can be switched, in the hand of a test; and real block devices made of files."""

from __future__ import annotations

import getpass
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.command import wait_until
from support.plain_context import PlainContext
from support.ssh_server import SshServer

from runner.api import MuxPosition, StorageMux, Unreachable
from runner.modules.storage.ssh_disk import SshDisk


def noise(size: int) -> bytes:
    """Return bytes that nothing packs, the same ones each time: others might begin as a packed image does."""
    return random.Random(size).randbytes(size)


def over_ssh(server: SshServer, path: Path | str, **more: Any) -> SshDisk:
    """Return a disk of a server that is taken for a board."""
    return SshDisk(
        address=f"{getpass.getuser()}@{server.address}",
        port=server.port,
        identity_file=str(server.identity),
        options=[f"UserKnownHostsFile={server.known}", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"],
        path=str(path),
        **more,
    )


class PlainMux(StorageMux):
    """Notes who has had the medium, which is at `path`; empty: the kernel has not found it."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.positions: list[MuxPosition] = []

    def switch(self, position: MuxPosition) -> None:
        self.positions.append(position)

    def medium(self) -> str:
        if not self.path:
            raise Unreachable("no card reader has a card")
        return self.path


class Sleepless(PlainContext):
    """Sleeps for no time; before each sleep it does the next of what the test has put there."""

    def __init__(self, *instead: Callable[[], object]) -> None:
        super().__init__()
        self.slept: list[float] = []
        self.said: list[str] = []
        self._instead = list(instead)

    def log(self, text: str, level: object = "info") -> None:
        self.said.append(f"{level}: {text}")

    def sleep(self, seconds: float) -> None:
        self.check_cancelled()
        self.slept.append(seconds)
        if self._instead:
            self._instead.pop(0)()


def call(*words: str | Path, told: str = "") -> str:
    """Run a program that must succeed; return what it prints."""
    done = subprocess.run(
        [str(word) for word in words], input=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


@contextmanager
def loop(file: Path, *options: str) -> Iterator[str]:
    """Make a file a block device."""
    device = call("losetup", "--find", "--show", *options, file)
    try:
        yield device
    finally:
        call("losetup", "--detach", device)


@contextmanager
def mounted(what: str | Path, where: Path, *options: str) -> Iterator[Path]:
    """Mount a file system."""
    where.mkdir(exist_ok=True)
    call("mount", *options, what, where)
    try:
        yield where
    finally:
        # what was stuck in it a moment ago may still be about to let go of it
        wait_until(lambda: _unmounted(where), f"{where} can be unmounted")


def _unmounted(where: Path) -> bool:
    return subprocess.run(["umount", str(where)], capture_output=True, check=False).returncode == 0
