"""A D-Bus message bus as an instrument: methods and properties of what is on it, and its signals."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

from runner.api.interfaces import Interface
from runner.api.module import Result
from runner.api.record import Record


class BusSignal(Result):
    """A signal as it was heard (D-Bus Specification, "Message Types")."""

    sender: str
    """The unique name of who sent it, as ``:1.42``."""
    path: str
    interface: str
    member: str
    args: tuple[Any, ...]


class MessageBus(Interface):
    """A message bus whose signals are recorded from the first use on."""

    asked_at: int = 0
    """How many signals had been heard when a recipe last called something; set by who calls."""

    @abc.abstractmethod
    def connect(self) -> None:
        """Connect and begin to record, unless that was done; raise Unreachable when there is no bus."""

    @abc.abstractmethod
    def call(
        self,
        service: str,
        path: str,
        interface: str,
        method: str,
        *,
        signature: str,
        args: Sequence[Any],
        timeout: float,
    ) -> tuple[Any, ...]:
        """Call a method and return what it answers, variants as their values.

        Raise Failed with the error's name when the service answers with one, TimedOut.
        """

    @abc.abstractmethod
    def signals(self) -> Record[BusSignal]:
        """Return the record of signals."""

    @abc.abstractmethod
    def where(self) -> str:
        """Return which bus it is, for messages."""
