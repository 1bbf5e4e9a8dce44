"""A TCP port that the bench's host reaches."""

from __future__ import annotations

import socket

from runner.api import Driver, Duration, Link, Network, NetworkAddress, arg
from runner.modules.network.links import SocketLink, opened


class Tcp(Driver, Network):
    """A TCP port that the bench's host reaches: a service of the board, an instrument that listens.

    Example::

        devices:
          web: {driver: tcp, host: 192.168.7.2, port: 80}
    """

    host: str = arg(help="its name or address, as the bench's host knows it")
    port: int = arg(help="the port", minimum=1, maximum=65535)
    limit: Duration = arg(default=Duration("10s"), help="how long connecting may take")

    def close(self) -> None:
        """End the connection of `net_send`."""
        if self.conversation:
            self.conversation.close()

    def address(self) -> NetworkAddress:
        """Return host and port."""
        return NetworkAddress(url=url("tcp", self.host, self.port), host=self.host, port=self.port, path="")

    def connect(self, timeout: float) -> Link:
        """Connect, with small messages sent at once (tcp(7), TCP_NODELAY)."""
        limit = min(timeout, self.limit)
        where = self.address().url
        made = opened(lambda: socket.create_connection((self.host, self.port), limit), where, limit)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketLink(made, where)


def url(scheme: str, host: str, port: int) -> str:
    """Write an address as a URL.

    >>> url("tcp", "::1", 80)
    'tcp://[::1]:80'
    """
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
