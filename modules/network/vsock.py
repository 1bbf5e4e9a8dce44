"""A port of a virtual machine, or of its host, by the machine's socket (vsock(7))."""

from __future__ import annotations

import socket

from runner.api import Driver, Duration, Link, Network, NetworkAddress, Unsupported, arg
from runner.modules.network.links import SocketLink, opened


class Vsock(Driver, Network):
    """A port of a virtual machine by AF_VSOCK, which needs no network in the guest (vsock(7)).

    It was tried within one machine (the kernel's vsock_loopback), not with a guest yet.

    Example::

        devices:
          agent: {driver: vsock, cid: 3, port: 1024}
    """

    cid: int = arg(help="the machine's context identifier; 2 is the host", minimum=1, maximum=0xFFFFFFFE)
    port: int = arg(help="the port", minimum=0, maximum=0xFFFFFFFE)
    limit: Duration = arg(default=Duration("10s"), help="how long connecting may take")

    def close(self) -> None:
        """End the connection of `net_send`."""
        if self.conversation:
            self.conversation.close()

    def address(self) -> NetworkAddress:
        """Return identifier and port."""
        return NetworkAddress(
            url=f"vsock://{self.cid}:{self.port}", host=str(self.cid), port=self.port, path=""
        )

    def connect(self, timeout: float) -> Link:
        """Connect."""
        if not hasattr(socket, "AF_VSOCK"):
            raise Unsupported("this Python knows no AF_VSOCK", hint="it is there on Linux")
        where, limit = self.address().url, min(timeout, self.limit)
        return SocketLink(opened(lambda: self._connected(limit), where, limit), where)

    def _connected(self, limit: float) -> socket.socket:
        made = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
        try:
            made.settimeout(limit)
            made.connect((self.cid, self.port))
        except OSError:
            made.close()
            raise
        return made
