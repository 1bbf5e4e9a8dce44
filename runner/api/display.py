"""A screen with a keyboard on the network, as an instrument: a VNC server."""

from __future__ import annotations

import abc
import socket
from typing import Protocol

from runner.api.interfaces import Interface
from runner.api.values import Secret


class Closes(Protocol):
    """Something that a module has opened and its driver closes."""

    def close(self) -> None:
        """Let go of it."""


class Display(Interface):
    """A VNC server (RFC 6143) that the bench's host reaches."""

    session: Closes | None = None
    """The connection of `vnc_screenshot` and `vnc_send_key`; the first of them makes it."""
    page: Closes | None = None
    """The page of `vnc_url`."""

    @abc.abstractmethod
    def where(self) -> str:
        """Return where it is, for messages."""

    @abc.abstractmethod
    def connect(self, timeout: float) -> socket.socket:
        """Make a new connection; raise Unreachable when nobody answers within so many seconds."""

    def opens_with(self) -> Secret:
        """Return its password; empty: none."""
        return Secret("")

    def let_go(self) -> None:
        """Close what modules have opened; called by the driver's `close`."""
        for each in (self.session, self.page):
            if each is not None:
                each.close()
        self.session = self.page = None
