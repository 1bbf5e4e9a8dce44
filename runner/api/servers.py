"""Servers that boards load files from: what drivers of them offer, and modules ask for."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING

from runner.api.interfaces import Interface
from runner.api.module import Result
from runner.api.values import Duration

if TYPE_CHECKING:
    from runner.api.context import Context


class FileServer(abc.ABC):
    """What every server for boards does. It stops by itself at the end of the run."""

    cursor: int = 0
    """The last transfer that a recipe has waited for, or that was before it served anything."""

    @abc.abstractmethod
    def start(self, context: Context) -> None:
        """Listen; when it does, do nothing. Raise LabError when the port cannot be had."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Give the port back, and end the transfers; when it does not listen, do nothing."""

    @property
    @abc.abstractmethod
    def running(self) -> bool:
        """Whether it listens."""

    @abc.abstractmethod
    def offer(self, files: Mapping[str, str]) -> None:
        """Serve files of this host under these names, besides what is served already.

        Raise RecipeFault for a name that no board could ask for.
        """

    @abc.abstractmethod
    def offered(self) -> Mapping[str, str]:
        """Return name and path of every file that `offer` was given."""

    @abc.abstractmethod
    def host(self) -> str:
        """Return the address that boards are told; raise LabError when there is none that they could use."""

    @abc.abstractmethod
    def port_number(self) -> int:
        """Return the port that it listens on; the configured one while it does not."""

    @abc.abstractmethod
    def latest(self) -> int:
        """Return the number of the newest transfer that has ended, 0 when there is none."""

    @abc.abstractmethod
    def next(self, after: int, timeout: float, context: Context) -> tuple[int, Transfer] | None:
        """Wait for the first transfer numbered above `after` to end; None when the time is over."""


class Transfer(Result):
    """A request of a board, and what came of it."""

    file: str
    """The name that was asked for."""
    peer: str
    """``address:port`` of who asked."""
    complete: bool
    """Whether all of it arrived, as far as the server can know."""
    bytes: int
    """How many were sent (or, with PUT, received)."""
    elapsed: Duration
    problem: str = ""
    """Why it is not complete."""
    blocks: int = 0
    """TFTP: how many were acknowledged."""
    resent: int = 0
    """TFTP: packets that were sent again."""
    method: str = ""
    """HTTP: GET, HEAD or PUT."""
    status: int = 0
    """HTTP: what was answered."""
    range: str = ""
    """HTTP: the range that was asked for, as ``bytes=0-99``."""
    path: str = ""
    """HTTP: where on the host the file is that was put there."""


class TftpFiles(Interface, FileServer):
    """A TFTP server that boards load files from."""


class HttpFiles(Interface, FileServer):
    """An HTTP server that boards load files from, and may put some to."""

    @abc.abstractmethod
    def url(self, name: str = "") -> str:
        """Return the URL by which boards reach it, or a file there."""
