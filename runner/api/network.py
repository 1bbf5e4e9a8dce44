"""What listens on a network, as an instrument: somebody to talk to, or to look for."""

from __future__ import annotations

import abc
from typing import Protocol

from runner.api.conversation import Conversation
from runner.api.interfaces import Interface
from runner.api.module import Result


class NetworkAddress(Result):
    """Where it is, as the bench's host sees it."""

    url: str
    """``tcp://10.0.0.5:80``, ``udp://[fe80::1]:53``, ``unix:///run/board.sock``, ``wss://…``."""
    host: str
    """Empty for a path."""
    port: int | None
    path: str
    """Empty where there is none."""


class Link(Protocol):
    """One open connection. One thread reads while others write; `hang_up` may come from any."""

    def read(self, timeout: float) -> bytes | None:
        """Return what has arrived, ``b""`` when nothing came in time, None once the other end has closed.

        Raise LabError when the connection is lost.
        """

    def write(self, data: bytes) -> None:
        """Send all of `data`; where there are messages, as one. Raise LabError when it cannot be sent."""

    def hang_up(self) -> None:
        """End it: whoever reads from it returns None."""

    def close(self) -> None:
        """Let go of it; nobody reads from it any more."""


class Network(Interface):
    """Something that can be connected to from the bench's host."""

    conversation: Conversation | None = None
    """The connection of `net_send` and `net_expect`; the first of them makes it."""

    @abc.abstractmethod
    def address(self) -> NetworkAddress:
        """Return where it is; nothing is connected, and no name is looked up."""

    @abc.abstractmethod
    def connect(self, timeout: float) -> Link:
        """Make a new connection; raise Unreachable when nobody answers within so many seconds."""
