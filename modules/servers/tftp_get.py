"""Fetch a file from a TFTP server."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

from runner.api import Context, Duration, Failed, Keep, Module, Result, Size, TargetPath, arg
from runner.modules.servers.tftp_client import Answered, Asked, Client
from runner.modules.servers.tftp_options import LARGEST, SMALLEST


class TftpGot(Result):
    """What was fetched."""

    size: Size
    sha256: str
    path: str
    """Where it was written; empty when it was not kept."""
    error: int | None
    """The code of the server's error, when one was expected."""
    message: str
    elapsed: Duration


class TftpGet(Module):
    """Fetch a file from a TFTP server, from the bench's host.

    Example::

        - tftp_get: {host: 192.168.7.1, file: boot/kernel, dest: out/kernel}
          expect: result.size > 1000000
        - tftp_get: {host: 192.168.7.1, file: secret, expect_error: 2}
    """

    reads_only = True

    host: str = arg(help="the server")
    file: str = arg(primary=True, help="the file's name there")
    port: int = arg(default=69, help="its UDP port", minimum=1, maximum=65535)
    dest: TargetPath | None = arg(default=None, help="where it is written on the machine that runs runner")
    block_size: int = arg(
        default=1468, help="bytes in a packet; 1468 fit into Ethernet's", minimum=SMALLEST, maximum=LARGEST
    )
    window_size: int = arg(default=1, help="packets until one is acknowledged", minimum=1, maximum=65535)
    packet_timeout: Duration = arg(default=Duration("1s"), help="how long it waits until it asks again")
    sha256: str = arg(default="", help="the checksum that it must have")
    expect_error: int | None = arg(
        default=None, help="the code that the server must answer with instead", minimum=0, maximum=8
    )

    def run(self, context: Context) -> TftpGot:
        """Fetch it, compare it, keep it."""
        began = time.monotonic()
        asked = Asked(
            self.host, self.port, self.file, self.block_size, self.window_size, float(self.packet_timeout)
        )
        with tempfile.TemporaryFile() as file:
            digest = hashlib.sha256()

            def write(data: bytes) -> None:
                digest.update(data)
                file.write(data)

            try:
                size = Client(asked, write, context).fetch()
            except Answered as answer:
                return self._answered(answer, Duration(time.monotonic() - began))
            file.flush()
            self._compare(size, digest.hexdigest())
            if self.dest is not None:
                keep = Keep(to=self.dest)
                context.artifact(Path(self.dest).name, Path(f"/proc/self/fd/{file.fileno()}"), keep)
        return TftpGot(
            size=Size(size),
            sha256=digest.hexdigest(),
            path=str(self.dest or ""),
            error=None,
            message="",
            elapsed=Duration(time.monotonic() - began),
        )

    def _answered(self, answer: Answered, elapsed: Duration) -> TftpGot:
        got = TftpGot(
            size=Size(0), sha256="", path="", error=answer.code, message=str(answer), elapsed=elapsed
        )
        if answer.code == self.expect_error:
            return got
        wanted = "" if self.expect_error is None else f", expected error {self.expect_error}"
        raise Failed(
            f"{self.host} answers with error {answer.code} to {self.file!r}{wanted}: {answer}",
            evidence={"expected": self.expect_error, "actual": answer.code},
            result=got,
        )

    def _compare(self, size: int, sha256: str) -> None:
        if self.expect_error is not None:
            raise Failed(
                f"{self.host} sends {self.file!r} ({size} bytes), expected error {self.expect_error}",
                evidence={"expected": self.expect_error, "size": size},
            )
        if self.sha256 and self.sha256.lower() != sha256:
            raise Failed(
                f"{self.file!r} of {self.host} has the SHA-256 {sha256[:12]}…, expected {self.sha256[:12]}…",
                evidence={"expected": self.sha256, "actual": sha256},
            )
