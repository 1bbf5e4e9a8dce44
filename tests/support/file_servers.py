"""Servers of files that other people wrote, each on a free port with a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.command import wait_until
from support.peers import RCLONE


@contextmanager
def serving(kind: str, folder: Path, *options: str) -> Iterator[int]:
    """Serve a folder by s3, webdav (rclone.org/commands/rclone_serve) or ftp (pyftpdlib); give the port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    address = f"127.0.0.1:{port}"
    command = [str(RCLONE), "serve", kind, str(folder), "--addr", address, "--config", "/dev/null", *options]
    if kind == "ftp":
        command = [sys.executable, "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", str(port), "-w", *options]
        command += ["-d", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _accepts(port), f"{kind} is served")
            yield port
        finally:
            process.kill()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
