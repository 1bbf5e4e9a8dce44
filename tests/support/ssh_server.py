"""Real OpenSSH servers on free ports, each with keys and a home of its own; nothing of the machine's is used."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
"""Debian's Python, with -I: none of our packages is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SshServer:
    """A server that is running. `home` is where who logs in comes to, `known` knows its key."""

    port: int
    folder: Path
    home: Path
    temporary: Path
    """Its TMPDIR; a short path, for sockets are made there."""
    identity: Path
    known: Path
    address: str = "127.0.0.1"
    process: subprocess.Popen[bytes]

    @property
    def host_key(self) -> str:
        """Return the public host key: kind and base64."""
        return " ".join((self.folder / "host_key.pub").read_text(encoding="utf-8").split()[:2])

    @property
    def fingerprint(self) -> str:
        """Return its fingerprint as ssh-keygen prints it."""
        return output("ssh-keygen", "-lf", str(self.folder / "host_key.pub")).split()[1]

    def options(self, **more: Any) -> dict[str, Any]:
        """Return the options of a host of the inventory that is this server."""
        return {
            "address": self.address,
            "port": self.port,
            "user": getpass.getuser(),
            "identity_file": str(self.identity),
            "known_hosts": str(self.known),
            "python": PYTHON,
            **more,
        }

    def log(self) -> str:
        """Return what the server says about itself."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def ssh_server(
    folder: Path, *, address: str = "127.0.0.1", inside: tuple[str, ...] = (), **settings: str
) -> Iterator[SshServer]:
    """Start a server with settings of sshd_config; end it, and all it started, at the end.

    `inside`: the command that starts a program in the network that has the address.
    """
    folder.mkdir()
    home = folder / "home"
    home.mkdir()
    temporary = Path(tempfile.mkdtemp(prefix="ssh-"))
    for name in ("host_key", "identity"):
        make_key(folder / name)
    shutil.copy(folder / "identity.pub", folder / "authorized_keys")
    port = free_port()
    known = folder / "known_hosts"
    host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
    known.write_text(f"[{address}]:{port} {host_key}", encoding="utf-8")
    environment = f"HOME={home} TMPDIR={temporary} RUNNER_LOCKS={folder}"
    written = {
        "Port": str(port),
        "ListenAddress": address,
        "HostKey": str(folder / "host_key"),
        "AuthorizedKeysFile": str(folder / "authorized_keys"),
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "MaxStartups": "100",
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
        "LogLevel": "VERBOSE",
        "SetEnv": environment,
        **settings,
    }
    (folder / "sshd_config").write_text(
        "".join(f"{name} {value}\n" for name, value in written.items()), encoding="utf-8"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*inside, sshd(), "-D", "-e", "-f", str(folder / "sshd_config")],
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    server = SshServer(
        port=port,
        folder=folder,
        home=home,
        temporary=temporary,
        identity=folder / "identity",
        known=known,
        address=address,
        process=process,
    )
    try:
        _wait_until_it_listens(server)
        yield server
    finally:
        process.terminate()
        process.wait(60)
        _remove(temporary)


def _wait_until_it_listens(server: SshServer) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            socket.create_connection((server.address, server.port), 1).close()
        except OSError as error:
            if time.monotonic() > end or server.process.poll() is not None:
                raise AssertionError(f"sshd does not listen: {server.log()}") from error
            time.sleep(0.02)
        else:
            return


def _remove(folder: Path) -> None:
    """Remove a folder, in which whoever was started there may be tidying up, too."""
    end = time.monotonic() + 60
    while folder.exists():
        assert time.monotonic() < end, f"{folder} is still written to"
        shutil.rmtree(folder, ignore_errors=True)


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    """Make a pair of keys."""
    output("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path))


def output(*command: str) -> str:
    """Return what a command prints; it must succeed."""
    return subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, timeout=60
    ).stdout


def free_port() -> int:
    """Return a port on which nobody listens."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different ports on which nobody listens, and which the kernel gives to nobody by itself.

    Those that it gives away are above 32768 (ip(7), ip_local_port_range): one of them may be the end of
    somebody's connection before it is used.
    """
    ports = random.SystemRandom().sample(range(10_000, 32_768), 2_000)
    return list(itertools.islice(filter(_free, ports), count))


def _free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def sshd() -> str:
    """Return the server's program, which asks to be started by its whole path."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def missing() -> str:
    """Return why no server can be started here, or nothing."""
    absent = [name for name in ("ssh", "ssh-keygen") if not shutil.which(name)]
    if not sshd() or absent:
        return f"no program {', '.join(absent or ['sshd'])}: apt install openssh-server openssh-client"
    if os.geteuid() != 0 and not Path("/run/sshd").is_dir():
        return "sshd needs the folder /run/sshd, which only root can make"
    return "" if Path(PYTHON).exists() else f"no {PYTHON}"
