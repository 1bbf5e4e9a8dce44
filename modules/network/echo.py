"""Somebody who says again what is said to him: for trying out recipes."""

from __future__ import annotations

from queue import Empty, SimpleQueue

from runner.api import Driver, Link, Network, NetworkAddress


class Echo(Driver, Network):
    """Somebody who says again what is said to him, for trying out recipes.

    Example::

        devices:
          peer: {driver: echo}
    """

    simulated = True
    private = True

    def close(self) -> None:
        """End the conversation of `net_send`."""
        if self.conversation:
            self.conversation.close()

    def address(self) -> NetworkAddress:
        """Return that there is none: it is within this process."""
        return NetworkAddress(url="echo:", host="", port=None, path="")

    def connect(self, timeout: float) -> Link:
        """Return a connection both ends of which are one."""
        del timeout
        return _Mirror()


class _Mirror:
    """Gives what is written to whoever reads."""

    def __init__(self) -> None:
        self._said: SimpleQueue[bytes | None] = SimpleQueue()

    def read(self, timeout: float) -> bytes | None:
        try:
            return self._said.get(timeout=timeout)
        except Empty:
            return b""

    def write(self, data: bytes) -> None:
        self._said.put(data)

    def hang_up(self) -> None:
        self._said.put(None)

    def close(self) -> None:
        """Nothing is held."""
