"""A VNC server that the bench's host reaches."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Driver, Misfit, Needs, Secret, Unreachable, arg
from runner.api.display import Display


class Vnc(Driver, Display):
    """A VNC server: of a board, of a KVM switch with a network port, of a virtual machine.

    RFB 3.3, 3.7 and 3.8 (RFC 6143) without encryption, with a password or none. Tested with QEMU's;
    untested on hardware.

    Example::

        devices:
          screen: {driver: vnc, host: 192.168.7.2, password: !env VNC_PASSWORD}
    """

    host: str = arg(default="", help="its name or address, as the bench's host knows it")
    port: int = arg(
        default=5900, help="the port: 5900 and the number of the display", minimum=1, maximum=65535
    )
    path: str = arg(default="", help="in place of these: the path of a Unix socket on the host")
    password: Secret = arg(default=Secret(""), help="its password; empty: none")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse two places, and none."""
        if "host" in given and "path" in given and bool(given["host"]) == bool(given["path"]):
            yield Misfit("host", "it is either at a host or at a path", "host or path")

    def needs(self) -> Needs:
        """Return the socket."""
        return Needs(nodes=(self.path,) if self.path else ())

    def close(self) -> None:
        """End what the verbs have opened."""
        self.let_go()

    def opens_with(self) -> Secret:
        """Return what the inventory says."""
        return self.password

    def where(self) -> str:
        """Return host and port, or the path."""
        return self.path or f"{self.host}:{self.port}"

    def connect(self, timeout: float) -> socket.socket:
        """Connect to it."""
        try:
            if not self.path:
                return socket.create_connection((self.host, self.port), timeout)
            return _to_path(self.path, timeout)
        except TimeoutError as error:
            raise Unreachable(f"{self.where()}: no answer within {timeout:g}s") from error
        except OSError as error:
            raise Unreachable(f"{self.where()}: {error.strerror or error}") from error


def _to_path(path: str, timeout: float) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    try:
        made.settimeout(timeout)
        made.connect(path)
    except OSError:
        made.close()
        raise
    return made
