"""The board over SSH, from the bench's host, by OpenSSH's client."""

from __future__ import annotations

from typing import Literal

from runner.api import Driver, Duration, Needs, RemoteShell, Secret, arg
from runner.modules.ssh.master import Master


class Ssh(Driver, RemoteShell):
    """The board over SSH, connected to from the bench's host.

    It is connected to once, by the first step that needs it; when the board has been restarted, the
    next step connects anew. A connection that says nothing for 15 s is taken for lost. The host
    needs OpenSSH's client. A board's host key changes with every new image, so any is taken unless
    `host_key` says something else.

    Example::

        devices:
          ssh: {driver: ssh, host: 192.168.7.2, user: root, password: !env BOARD_PASSWORD}
    """

    host: str = arg(primary=True, help="its name or address, as the bench's host knows it")
    port: int = arg(default=22, help="the port", minimum=1, maximum=65535)
    user: str = arg(default="root", help="who logs in")
    password: Secret | None = arg(default=None, help="the password; without it keys alone are tried")
    identity_file: str = arg(default="", help="a private key on the host; empty: those that ssh finds there")
    host_key: Literal["ignore", "accept-new", "strict"] = arg(
        default="ignore", help="whether its key must be known: any is taken, a first one, or only a known one"
    )
    known_hosts: str = arg(default="", help="the file of known keys on the host; empty: the user's")
    jump: str = arg(default="", help="user@host:port to go through, several with commas between")
    options: dict[str, str] = arg(default={}, help="more options of ssh, as in ssh_config(5)")
    limit: Duration = arg(default=Duration("15s"), help="how long connecting may take")

    def needs(self) -> Needs:
        """Return ssh."""
        return Needs(nodes=(f"{self.host}:{self.port}",), programs={"ssh": "openssh-client"})

    def open(self) -> None:
        """Get ready; the first step connects."""
        self._master = Master(self._arguments(), str(self.password or ""), self.where())

    def close(self) -> None:
        """End the connection."""
        self._master.close()

    def connect(self, timeout: float) -> None:
        """Connect, unless we are."""
        self._master.connect(min(timeout, self.limit))

    def arguments(self, line: str) -> tuple[str, ...]:
        """Return ssh with the command line, through the connection that is there."""
        return ("ssh", "-T", "-S", str(self._master.socket), self._destination, line)

    def lost(self) -> str:
        """Say why the connection has ended."""
        return self._master.lost()

    def where(self) -> str:
        """Return user and address."""
        return f"ssh://{self.user}@{self.host}:{self.port}"

    @property
    def _destination(self) -> str:
        return f"{self.user}@{self.host}"

    def _arguments(self) -> list[str]:
        settings = {
            "BatchMode": "no" if self.password else "yes",
            "NumberOfPasswordPrompts": "1",
            "ConnectTimeout": str(max(1, round(self.limit))),
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
            "LogLevel": "ERROR",
            **self._host_key(),
            **({"IdentityFile": self.identity_file, "IdentitiesOnly": "yes"} if self.identity_file else {}),
            **({"ProxyJump": self.jump} if self.jump else {}),
            **self.options,
        }
        given = [each for name, value in settings.items() for each in ("-o", f"{name}={value}")]
        return [*given, "-p", str(self.port), self._destination]

    def _host_key(self) -> dict[str, str]:
        if self.host_key == "ignore":
            return {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
        known = {"UserKnownHostsFile": self.known_hosts} if self.known_hosts else {}
        return {"StrictHostKeyChecking": "yes" if self.host_key == "strict" else "accept-new", **known}
