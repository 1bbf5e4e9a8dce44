"""Net-snmp's agent on a free port, with writable outlets and users of every security level."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import pdu

from runner.api import Secret

WRITE, READ = "write-community", "read-community"
AUTH_KEY, PRIV_KEY = "auth-passphrase", "priv-passphrase"
RARITAN = "1.3.6.1.4.1.13742.6.4.1.2.1.2.1"
APC = pdu.TABLE.removeprefix(".")
APC2 = "1.3.6.1.4.1.318.1.1.26.9.2.4.1.5"
METERS = "1.3.6.1.4.1.99999.1"
"""Objects of nobody: 2305 (tenths of a volt), 420 (milliamperes), words, and octets that are no text."""
USERS = {
    "nothing": ("none", "none"),
    **{f"with-{name}": (name, "none") for name in ("md5", "sha", "sha224", "sha256", "sha384", "sha512")},
    "md5-des": ("md5", "des"),
    "sha-aes128": ("sha", "aes128"),
    "sha-aes192": ("sha", "aes192"),
    "sha-aes256": ("sha", "aes256"),
    "md5-aes192-blumenthal": ("md5", "aes192_blumenthal"),
    "sha-aes256-blumenthal": ("sha", "aes256_blumenthal"),
    "sha512-aes256": ("sha512", "aes256"),
}
"""Who may write, and with which protocols; net-snmp has no 3DES."""
_NET_SNMP = {"sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_GET_UPTIME = bytes.fromhex(
    "302d 020100 040e 726561642d636f6d6d756e697479 a018 020101 020100 020100 300d 300b 0607 2b060102010103 0500"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snmpd:
    """An agent that runs."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def v2(self, **more: Any) -> dict[str, Any]:
        """Return the options of a driver that may write, in version 2c."""
        return {"host": "127.0.0.1", "port": self.port, "version": "2c", "community": Secret(WRITE), **more}

    def v3(self, user: str, **more: Any) -> dict[str, Any]:
        """Return the options of a driver that asks as a user."""
        authentication, privacy = USERS[user]
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": user,
            "auth_protocol": authentication,
            "auth_key": Secret(AUTH_KEY if authentication != "none" else ""),
            "priv_protocol": privacy,
            "priv_key": Secret(PRIV_KEY if privacy != "none" else ""),
            **more,
        }

    def calls(self) -> list[str]:
        """Return what was set at the unit's outlets: ``3=1``."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8").split() if path.exists() else []


@contextlib.contextmanager
def snmpd(folder: Path, *, machine: str = "", port: int = 0) -> Iterator[Snmpd]:
    """Start an agent; end it at the end. `machine`: the monitor of what outlet 1 of the unit switches."""
    folder.mkdir(exist_ok=True)
    taken: list[str] = []
    while True:
        chosen = port or free_udp_port()
        process = _started(folder, chosen, machine)
        try:
            if _answers(process, chosen):
                yield Snmpd(port=chosen, folder=folder, process=process)
                return
        finally:
            process.kill()
            process.wait(60)
        taken.append((folder / "log").read_text(encoding="utf-8", errors="replace"))
        assert len(taken) < 5, taken


def _started(folder: Path, port: int, machine: str) -> subprocess.Popen[bytes]:
    configuration = folder / "snmpd.conf"
    configuration.write_text("\n".join(_configuration(folder, port, machine)), encoding="utf-8")
    command = [_program(), "-f", "-Lf", str(folder / "log"), "-C", "-c", str(configuration), "-r"]
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command, "-I", "-smux"],
        env={"SNMP_PERSISTENT_DIR": str(folder / "state"), "MIBS": "", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _configuration(folder: Path, port: int, machine: str) -> Iterator[str]:
    yield f"agentaddress udp:127.0.0.1:{port}"
    yield f"rwcommunity {WRITE}"
    yield f"rocommunity {READ}"
    for user, (authentication, privacy) in USERS.items():
        protocol = _NET_SNMP.get(authentication, authentication.upper())
        keys = "" if authentication == "none" else f" {protocol} {AUTH_KEY}"
        keys += "" if privacy == "none" else f" {_privacy(privacy)} {PRIV_KEY}"
        yield f"createUser {user}{keys}"
        yield f"rwuser {user} {_level(authentication, privacy)}"
    yield f"createUser reader SHA {AUTH_KEY}"
    yield "rouser reader authNoPriv"
    for table, first in ((RARITAN, 0), (APC2, 2)):
        yield from (f"override -rw .{table}.{outlet} integer {first}" for outlet in (3, 4))
    objects = ("integer 2305", "integer 420", 'octet_str "fifteen"', "octet_str 0x00ff10")
    yield from (f"override -rw .{METERS}.{number} {each}" for number, each in enumerate(objects, 1))
    yield f"pass_persist {pdu.TABLE} {sys.executable} {pdu.__file__} {folder} {machine}"


def _privacy(protocol: str) -> str:
    """Return net-snmp's name: its AES-192 and AES-256 are those of Blumenthal, Cisco's have a C."""
    if protocol in ("des", "aes128"):
        return {"des": "DES", "aes128": "AES"}[protocol]
    return f"AES-{protocol[3:6]}" + ("" if "_" in protocol else "-C")


def _level(authentication: str, privacy: str) -> str:
    if authentication == "none":
        return "noauth"
    return "auth" if privacy == "none" else "priv"


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it answers; tell whether it does, or has ended."""
    end = time.monotonic() + 60
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.05)
        asking.connect(("127.0.0.1", port))
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                asking.send(_GET_UPTIME)
                return bool(asking.recv(1500))
    return False


def free_udp_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def missing() -> str:
    """Return why no agent can be started here, or nothing."""
    return "" if _program() else "no program 'snmpd': apt install snmpd"


def _program() -> str:
    return shutil.which("snmpd", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""
