"""A UDP port that the bench's host reaches."""

from __future__ import annotations

import socket

from runner.api import Driver, Duration, Link, Network, NetworkAddress, arg
from runner.modules.network.links import SocketLink, opened
from runner.modules.network.tcp import url


class Udp(Driver, Network):
    """A UDP port that the bench's host reaches. What is sent at once is one datagram.

    UDP has no connections: that nobody listens is heard only when the other end says so, which the
    network may swallow.

    Example::

        devices:
          syslog: {driver: udp, host: 192.168.7.2, port: 514}
    """

    host: str = arg(help="its name or address, as the bench's host knows it")
    port: int = arg(help="the port", minimum=1, maximum=65535)
    limit: Duration = arg(default=Duration("10s"), help="how long looking up the name may take")

    def close(self) -> None:
        """End the conversation of `net_send`."""
        if self.conversation:
            self.conversation.close()

    def address(self) -> NetworkAddress:
        """Return host and port."""
        return NetworkAddress(url=url("udp", self.host, self.port), host=self.host, port=self.port, path="")

    def connect(self, timeout: float) -> Link:
        """Take a port of ours for talking to that one alone."""
        where = self.address().url
        made = opened(self._connected, where, min(timeout, self.limit))
        return SocketLink(made, where, whole=True)

    def _connected(self) -> socket.socket:
        family, kind, protocol, _, there = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.connect(there)
        except OSError:
            made.close()
            raise
        return made
