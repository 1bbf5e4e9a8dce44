"""Machines in network namespaces with addresses of their own, on cables that can be pulled."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A network namespace at the other end of a cable."""

    name: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        """Return the command that starts a program there."""
        return ("ip", "netns", "exec", self.name)

    def pull(self) -> None:
        """Pull the cable: from now on nothing comes through, and nobody is told."""
        _ip("-n", self.name, "link", "set", "cable", "down")


@contextlib.contextmanager
def machine(number: int) -> Iterator[Machine]:
    """Make one, with an address that depends on the number (RFC 2544 keeps 198.18.0.0/15 for tests)."""
    name = f"runner-{os.getpid()}-{number}"
    ours, theirs = f"198.18.{number}.1", f"198.18.{number}.2"
    end = f"rt{os.getpid() % 100000}n{number}"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", end, "type", "veth", "peer", "name", "cable", "netns", name)
        _ip("addr", "add", f"{ours}/30", "dev", end)
        _ip("link", "set", end, "up")
        _ip("-n", name, "addr", "add", f"{theirs}/30", "dev", "cable")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "set", "cable", "up")
        yield Machine(name=name, address=theirs)
    finally:
        _ip("netns", "delete", name)  # the cable goes with it
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "delete", end)


def _ip(*arguments: str) -> None:
    subprocess.run(
        ["ip", *arguments],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        stdin=subprocess.DEVNULL,
    )
