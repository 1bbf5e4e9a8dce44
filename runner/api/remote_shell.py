"""A shell on another machine, the board's mostly, in which command lines are run."""

from __future__ import annotations

import abc

from runner.api.interfaces import Interface


class RemoteShell(Interface):
    """Runs command lines on the board, by a program of the bench's host."""

    @abc.abstractmethod
    def connect(self, timeout: float) -> None:
        """Connect, unless we are.

        Raise Failed when the board does not answer within so many seconds, LabError when it does not
        let us in.
        """

    @abc.abstractmethod
    def arguments(self, line: str) -> tuple[str, ...]:
        """Return the program of this host that runs a command line there.

        Its standard streams and its exit status are those of the command.
        """

    @abc.abstractmethod
    def lost(self) -> str:
        """Say why the connection has ended; empty while it is there."""

    @abc.abstractmethod
    def where(self) -> str:
        """Return user and address, for messages."""
