"""Files loaded by TFTP from our server and from tftpd-hpa, by the same clients."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import say

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.command import wait_until
from support.plain_context import PlainContext

from runner.modules.servers.tftp_client import Asked, Client
from runner.modules.servers.tftp_server import TftpServer

SIZE = 32
"""MiB of the file."""
TIMES = 3


@contextmanager
def ours(folder: Path) -> Iterator[int]:
    """Serve a folder in this process, as the agent does."""
    server = TftpServer(root=str(folder), bind="127.0.0.1", port=0)
    server.open()
    server.start(PlainContext())
    yield server.port_number()
    server.close()


@contextmanager
def theirs(folder: Path) -> Iterator[int]:
    """Serve it with tftpd-hpa, on a port that was just free."""
    with ours(folder) as port:
        pass
    command = ["/usr/sbin/in.tftpd", "--foreground", "--listen", "--address", f"127.0.0.1:{port}"]
    with subprocess.Popen([*command, "--user", "root", "--secure", str(folder)]) as server:
        listens = f":{port:04X} "
        wait_until(lambda: listens in Path("/proc/net/udp").read_text(encoding="ascii"), "tftpd-hpa listens")
        yield port
        server.terminate()


def hpa(port: int, folder: Path) -> None:
    """Load it with tftp-hpa: blocks of 512 bytes, one at a time."""
    command = ["tftp", "-m", "binary", "127.0.0.1", str(port), "-c", "get", "image"]
    subprocess.run([*command, str(folder / "got")], check=True)


def curl(block: int, port: int, folder: Path) -> None:
    """Load it with curl."""
    command = ["curl", "-sS", "--tftp-blksize", str(block), "-o", str(folder / "got")]
    subprocess.run([*command, f"tftp://127.0.0.1:{port}/image"], check=True)


def windows(port: int, folder: Path) -> None:
    """Load it with our own client, in windows of 16 blocks, which tftpd-hpa does not know."""
    with (folder / "got").open("wb") as file:
        Client(Asked("127.0.0.1", port, "image", 1468, 16, 1.0), file.write, PlainContext()).fetch()


def speed(load: Callable[[int, Path], None], port: int, folder: Path) -> float:
    """Return MB/s, the median of several times; what came must be what is there."""
    spent = []
    for _ in range(TIMES):
        began = time.perf_counter()
        load(port, folder)
        spent.append(time.perf_counter() - began)
        assert (folder / "got").read_bytes() == (folder / "image").read_bytes()
    return SIZE * 2**20 / statistics.median(spent) / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "image").write_bytes(os.urandom(SIZE * 2**20))
        clients = {
            "tftp-hpa, 512": hpa,
            "curl, 1468": lambda port, into: curl(1468, port, into),
            "curl, 8192": lambda port, into: curl(8192, port, into),
        }
        for label, client in clients.items():
            with ours(folder) as port:
                own = speed(client, port, folder)
            with theirs(folder) as port:
                peer = speed(client, port, folder)
            say(f"TFTP, {label}", f"{own:.0f} MB/s", f"{own / peer:.2f} of tftpd-hpa's {peer:.0f} MB/s")
        with ours(folder) as port:
            own = speed(windows, port, folder)
            say("TFTP, 1468 in windows of 16", f"{own:.0f} MB/s", "tftpd-hpa has no windows")


if __name__ == "__main__":
    main()
