"""A real server of iperf3."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from support.ssh_server import free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Iperf3Server:
    """One that is running, on a port of 127.0.0.1."""

    port: int
    process: subprocess.Popen[str]

    def measuring(self) -> None:
        """Wait until it measures for a client."""
        self.read_until("connected to")

    def read_until(self, words: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if words in line:
                return
        raise AssertionError(f"the server has ended and never said {words!r}")


@contextlib.contextmanager
def iperf3_server() -> Iterator[Iperf3Server]:
    port = free_port()
    command = ["setpriv", "--pdeathsig", "KILL", "iperf3", "--server", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        [*command, "--forceflush", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            server = Iperf3Server(port=port, process=process)
            server.read_until("Server listening")
            yield server
        finally:
            process.kill()
