"""A real MQTT broker (mosquitto) with a listener for each way in, all on free ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.ssh_server import free_ports, output

USER, PASSWORD = "lab", "pass word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosquitto:
    """A broker that is running; `ca`, `certificate` and `key` are files."""

    folder: Path
    open: int
    """The port that lets in everybody."""
    password: int
    """The port that asks for USER and PASSWORD."""
    tls: int
    """The same with TLS."""
    mutual: int
    """TLS, and a certificate of the client instead of a password."""
    websockets: int
    """WebSockets with a password."""
    process: subprocess.Popen[bytes]

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    @property
    def certificate(self) -> str:
        return str(self.folder / "client.pem")

    @property
    def key(self) -> str:
        return str(self.folder / "client.key")

    @property
    def socket(self) -> str:
        """The path of the Unix socket that lets in everybody."""
        return str(self.folder / "s")


def broker() -> str:
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def missing() -> str:
    """Return why no broker can be started here, or nothing."""
    absent = [name for name in ("mosquitto_passwd", "mosquitto_pub", "openssl") if not shutil.which(name)]
    if absent or not broker():
        return f"no program {', '.join(absent or ['mosquitto'])}: apt install mosquitto mosquitto-clients"
    return ""


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    """Start a broker; end it at the end."""
    make_certificates(folder, "server", "client")
    passwords, rights = folder / "passwords", folder / "rights"
    passwords.touch(mode=0o600)
    output("mosquitto_passwd", "-b", str(passwords), USER, PASSWORD)
    rights.write_text(f"user {USER}\ntopic readwrite #\ntopic deny secret/#\n", encoding="utf-8")
    ports = free_ports(5)
    (folder / "mosquitto.conf").write_text(_settings(folder, ports, passwords, rights), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [broker(), "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        for port in ports:
            wait_for_port(port, process, folder / "log")
        names = ("open", "password", "tls", "mutual", "websockets")
        yield Mosquitto(folder=folder, process=process, **dict(zip(names, ports, strict=True)))
    finally:
        process.kill()
        process.wait(60)


def _settings(folder: Path, ports: list[int], passwords: Path, rights: Path) -> str:
    anybody, password, tls, mutual, websockets = ports
    certificates = f"cafile {folder}/ca.pem\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
    users = f"allow_anonymous false\npassword_file {passwords}\nacl_file {rights}\n"
    return (
        "per_listener_settings true\nuser root\nlog_dest stdout\n"
        f"listener {anybody} 127.0.0.1\nallow_anonymous true\n"
        f"listener 0 {folder}/s\nallow_anonymous true\n"
        f"listener {password} 127.0.0.1\n{users}"
        f"listener {tls} 127.0.0.1\n{certificates}{users}"
        f"listener {mutual} 127.0.0.1\n{certificates}"
        "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
        f"listener {websockets} 127.0.0.1\nprotocol websockets\n{users}"
    )


def make_certificates(folder: Path, *names: str) -> None:
    """Make an authority and certificates that it has signed, all for 127.0.0.1."""
    new = ("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-sha256")
    ca = (
        "-x509",
        "-days",
        "2",
        "-subj",
        "/CN=lab",
        "-keyout",
        f"{folder}/ca.key",
        "-out",
        f"{folder}/ca.pem",
    )
    output(*new, *ca)
    for name in names:
        key, csr = f"{folder}/{name}.key", f"{folder}/{name}.csr"
        output(*new, "-subj", f"/CN={name}", "-keyout", key, "-out", csr)
        extensions = folder / f"{name}.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
        signed = ("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "2")
        out = ("-extfile", str(extensions), "-out", f"{folder}/{name}.pem")
        output("openssl", "x509", "-req", "-in", csr, *signed, *out)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a process listens."""
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError as error:
            if time.monotonic() > end or process.poll() is not None:
                raise AssertionError(f"nobody listens: {log.read_text(encoding='utf-8')}") from error
            time.sleep(0.02)
        else:
            return
