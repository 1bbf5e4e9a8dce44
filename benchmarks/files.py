"""Files on their way to a host, beside scp and paramiko's SFTP; and what a key on a console waits meanwhile."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
from measure import say

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.ssh_server import SshServer, missing, ssh_server  # the server that the tests use

from runner.agent.calls import Configure, ConsoleBytes, DeviceSpec, Heard, Run
from runner.api.codec import FILE, encode
from runner.connect.agent import AgentLink
from runner.connect.bootstrap import the_rest
from runner.connect.remote import remote_agent
from runner.engine.cancel import Cancellation
from runner.model import Host

MIB = 2**20
SIZE = 256
TIMES = 5
LOG = "runner.modules.core.command:Command"
SERIAL = "runner.modules.console.serial:Serial"
WRITE = "runner.console.write:WriteConsole"
ECHO = "import os,sys\nwhile d:=os.read(0,4096): os.write(0,d)"


def nobody(_heard: object) -> None:
    pass


class Lab:
    """An agent that is given files, and types on a console."""

    def __init__(self, server: SshServer, **options: str) -> None:
        self.echoed = threading.Event()
        host = Host(name="shelf1", options=server.options(**options))
        self.agent: AgentLink = remote_agent(
            host, {}, sources=lambda: the_rest((LOG, SERIAL, WRITE), {}), console=self.hear, heard=nobody
        )

    def hear(self, chunk: ConsoleBytes) -> None:
        """Take note of an echo."""
        if chunk.data:
            self.echoed.set()

    def ask(self, request: Configure | Run, hear: Callable[[Heard], None] = nobody) -> None:
        """Ask the agent for something."""
        self.agent.call(request, hear, cancel=Cancellation())

    def configure(self, port: str = "") -> None:
        """Tell the agent of a bench, with a console on a serial port if there is one."""
        spec = DeviceSpec("serial", SERIAL, {"port": port, "baudrate": 115200})
        self.ask(Configure("b", {"console": spec} if port else {}))

    def put(self, path: Path) -> float:
        """Return how long a step takes that only needs the file to be there."""
        began = time.perf_counter()
        self.ask(Run("b", LOG, {"command": ["true"], "stdin": {FILE: str(path)}}, {}, 600.0))
        return time.perf_counter() - began

    def key(self) -> float:
        """Type a key and return how long its echo takes."""
        self.echoed.clear()
        began = time.perf_counter()
        self.ask(Run("b", WRITE, {"data": encode(b"x")}, {"console": "console"}, 60.0))
        assert self.echoed.wait(60)
        return time.perf_counter() - began


def fresh(path: Path) -> Path:
    """Give a file a content that nobody has seen."""
    with path.open("r+b") as file:
        file.write(os.urandom(4096))
    return path


def noise(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        for _ in range(size):
            file.write(os.urandom(MIB))
    return path


def scp(server: SshServer, path: Path) -> float:
    options = ["-o", f"UserKnownHostsFile={server.known}", "-o", "IdentityAgent=none", "-F", "none", "-q"]
    target = f"127.0.0.1:{server.temporary}/scp.img"
    began = time.perf_counter()
    subprocess.run(
        ["scp", *options, "-i", str(server.identity), "-P", str(server.port), str(path), target], check=True
    )
    spent = time.perf_counter() - began
    (server.temporary / "scp.img").unlink()
    return spent


@contextlib.contextmanager
def sftp(server: SshServer) -> Iterator[Callable[[Path], float]]:
    options = server.options()
    with paramiko.SSHClient() as connection:
        connection.load_host_keys(options["known_hosts"])
        names = {
            "port": options["port"],
            "username": options["user"],
            "key_filename": options["identity_file"],
        }
        connection.connect(options["address"], **names, allow_agent=False, look_for_keys=False)
        client = connection.open_sftp()

        def put(path: Path) -> float:
            began = time.perf_counter()
            client.put(str(path), f"{server.temporary}/sftp.img")
            spent = time.perf_counter() - began
            (server.temporary / "sftp.img").unlink()
            return spent

        yield put


def rate(seconds: float, size: int = SIZE) -> str:
    return f"{seconds:.2f} s, {size / seconds:.0f} MiB/s"


def whole(server: SshServer, path: Path) -> tuple[float, float]:
    """Return how long sending a file takes, and how long with connecting and starting an agent."""
    lab = Lab(server)
    began = time.perf_counter()
    lab.configure()
    sending = lab.put(fresh(path))
    spent = time.perf_counter() - began
    lab.agent.close()
    return sending, spent


def upload(server: SshServer, path: Path) -> None:
    """Take turns, so that a busy moment of the machine meets everybody; the best of each counts."""
    ours, scps, sftps, wholes = [], [], [], []
    with sftp(server) as put:
        for _ in range(TIMES):
            for kept, spent in zip((ours, wholes), whole(server, path), strict=True):
                kept.append(spent)
            scps.append(scp(server, path))
            sftps.append(put(path))
    one, two, three, four = map(min, (ours, scps, sftps, wholes))
    say(f"{SIZE} MiB of noise, checksums included", rate(one))
    say("  paramiko's SFTP put, as it comes", rate(three))
    say("  SFTP / ours", f"{three / one:.2f}", "at least 1.2")
    say("  with connecting and starting the agent", rate(four))
    say("  scp, connecting included", rate(two))
    say("  ours / scp, both with connecting", f"{four / two:.2f}", "at most 1.25")
    lab = Lab(server)
    lab.configure()
    lab.put(path)
    again = statistics.median(lab.put(path) for _ in range(TIMES))
    say("the same file again", f"{again * 1e3:.1f} ms", "nothing is sent")
    lab.agent.close()


def easy(server: SshServer, folder: Path) -> None:
    lab = Lab(server)
    lab.configure()
    sparse, text = folder / "sparse.img", folder / "text.img"
    with noise(sparse, 16).open("r+b") as file:
        file.truncate(1024 * MIB)
    text.write_bytes(b"".join(b"%08d all work and no play\n" % number for number in range(8_000_000)))
    size = text.stat().st_size // MIB
    say("1 GiB with 16 MiB of data, the rest holes", rate(lab.put(sparse), 1024))
    say("  scp", rate(scp(server, sparse), 1024))
    say(f"{size} MiB of text", rate(lab.put(text), size))
    say("  scp", rate(scp(server, text), size))
    lab.agent.close()


def latency(server: SshServer, path: Path) -> None:
    """Type on a console as fast as it echoes, first alone and then while files are sent."""
    board, port = os.openpty()
    with subprocess.Popen([sys.executable, "-c", ECHO], stdin=board) as echo:
        lab = Lab(server)
        lab.configure(os.ttyname(port))
        lab.key()
        alone = [lab.key() for _ in range(500)]
        meanwhile: list[float] = []
        for _ in range(TIMES):
            sending = threading.Thread(target=lab.put, args=(fresh(path),))
            sending.start()
            while sending.is_alive():
                meanwhile.append(lab.key())
        lab.agent.close()
        echo.kill()
    for name, keys in (("alone", alone), (f"while {SIZE} MiB are sent", meanwhile)):
        cuts = statistics.quantiles(keys, n=100)
        middle, last = cuts[49] * 1e3, cuts[98] * 1e3
        say(
            f"a key and its echo, {name} ({len(keys)} keys)",
            f"p50 {middle:.1f}, p99 {last:.1f} ms",
            "p99 at most 20 ms",
        )


def main() -> None:
    if missing():
        say("files", "not measured", missing())
        return
    os.environ.pop("SSH_AUTH_SOCK", None)
    with (
        tempfile.TemporaryDirectory() as name,
        ssh_server(Path(name) / "shelf1", Subsystem="sftp internal-sftp") as server,
    ):
        folder = Path(name)
        path = noise(folder / "noise.img", SIZE)
        upload(server, path)
        easy(server, folder)
        latency(server, path)


if __name__ == "__main__":
    main()
