"""A Unix socket on the bench's host."""

from __future__ import annotations

import socket

from runner.api import Driver, Duration, Link, Needs, Network, NetworkAddress, arg
from runner.modules.network.links import SocketLink, opened


class Unix(Driver, Network):
    """A Unix stream socket on the bench's host.

    Example::

        devices:
          monitor: {driver: unix, path: /run/board/monitor.sock}
    """

    path: str = arg(primary=True, help="the socket on the host")
    limit: Duration = arg(default=Duration("10s"), help="how long connecting may take")

    def needs(self) -> Needs:
        """Return the socket."""
        return Needs(nodes=(self.path,))

    def close(self) -> None:
        """End the connection of `net_send`."""
        if self.conversation:
            self.conversation.close()

    def address(self) -> NetworkAddress:
        """Return the path."""
        return NetworkAddress(url=f"unix://{self.path}", host="", port=None, path=self.path)

    def connect(self, timeout: float) -> Link:
        """Connect."""
        where, limit = self.address().url, min(timeout, self.limit)
        return SocketLink(opened(lambda: self._connected(limit), where, limit), where)

    def _connected(self, limit: float) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        try:
            made.settimeout(limit)
            made.connect(self.path)
        except OSError:
            made.close()
            raise
        return made
