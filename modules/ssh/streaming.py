"""Files as the standard input or output of a command on the board."""

from __future__ import annotations

import hashlib
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from runner.api import Context, Duration, Failed, RemoteShell, TimedOut
from runner.api.process import end, popen

_BLOCK = 256 * 1024
_LOOK = 0.2
"""Seconds after which a copy that is stuck looks whether it should stop."""


class _Copy:
    """A command on the board, one stream of which is a file here."""

    def __init__(self, shell: RemoteShell, line: str, context: Context, timeout: Duration) -> None:
        self._shell = shell
        self._line = line
        self._context = context
        self._timeout = timeout
        self._until = time.monotonic() + timeout
        self.digest = hashlib.sha256()
        self.done = 0

    def run(self, file: IO[bytes], total: int, *, sending: bool) -> str:
        """Copy the whole file; return its SHA-256. Raise Failed when the command fails, TimedOut."""
        with tempfile.TemporaryFile() as errors:
            process = popen(
                self._shell.arguments(self._line),
                stdin=subprocess.PIPE if sending else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if sending else subprocess.PIPE,
                stderr=errors,
            )
            pipe = process.stdin if sending else process.stdout
            assert pipe is not None  # noqa: S101 - asked for above
            try:
                whole = self._send(file, pipe, total) if sending else self._receive(pipe, file, total)
                pipe.close()
                status = self._ended(process)
            finally:
                end(process)
                if not pipe.closed:
                    pipe.close()
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
        if status or not whole:
            raise self._failed(status, said, total)
        return self.digest.hexdigest()

    def _send(self, file: IO[bytes], pipe: IO[bytes], total: int) -> bool:
        """Write all of the file; False when nobody reads it any more."""
        os.set_blocking(pipe.fileno(), False)
        while data := file.read(_BLOCK):
            self.digest.update(data)
            rest = memoryview(data)
            while rest:
                self._wait([], [pipe])
                try:
                    rest = rest[os.write(pipe.fileno(), rest) :]
                except BrokenPipeError:
                    return False
            self._advance(len(data), total)
        return True

    def _receive(self, pipe: IO[bytes], file: IO[bytes], total: int) -> bool:
        while True:
            self._wait([pipe], [])
            data = os.read(pipe.fileno(), _BLOCK)
            if not data:
                return self.done >= total
            self.digest.update(data)
            file.write(data)
            self._advance(len(data), total)

    def _wait(self, reading: list[IO[bytes]], writing: list[IO[bytes]]) -> None:
        while not any(select.select(reading, writing, [], _LOOK)):
            self._look()
        self._look()

    def _look(self) -> None:
        self._context.check_cancelled()
        if time.monotonic() > self._until:
            raise TimedOut(
                f"{self._shell.where()}: {self.done} bytes were copied within {self._timeout}",
                evidence={"bytes": self.done, "limit": float(self._timeout)},
                hint="give it more time with 'timeout'",
            )

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                self._look()

    def _advance(self, count: int, total: int) -> None:
        self.done += count
        self._context.progress(self.done, total)

    def _failed(self, status: int, said: str, total: int) -> Failed:
        lost = self._shell.lost()
        why = f"the connection was lost: {lost}" if lost else said or f"exit status {status}"
        return Failed(
            f"{self._shell.where()}: {self.done} of {total} bytes were copied: {why}",
            evidence={"bytes": self.done, "expected": total, "status": status, "command": self._line},
        )


def send(shell: RemoteShell, line: str, source: Path, context: Context, timeout: Duration) -> str:
    """Give a file to a command on the board; return its SHA-256."""
    with source.open("rb") as file:
        return _Copy(shell, line, context, timeout).run(file, source.stat().st_size, sending=True)


def receive(
    shell: RemoteShell, line: str, target: Path, size: int, context: Context, timeout: Duration
) -> str:
    """Write what a command on the board prints into a file; return its SHA-256.

    Raise Failed when it prints less than `size` bytes.
    """
    with target.open("xb") as file:
        return _Copy(shell, line, context, timeout).run(file, size, sending=False)
