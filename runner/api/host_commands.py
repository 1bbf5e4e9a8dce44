"""Commands of a host that are called by name: between the verbs and the driver that knows them."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.api.interfaces import Interface
from runner.api.module import Result
from runner.api.values import Duration


class HostCommandInfo(Result):
    """What a user sees of a command before calling it."""

    name: str
    description: str
    limit: Duration
    """How long it may take."""


@dataclass(frozen=True)
class Invocation:
    """How a command is started: a program with its arguments, where, and with which variables added."""

    arguments: tuple[str, ...]
    chdir: str
    env: Mapping[str, str]
    limit: Duration


class HostCommands(Interface):
    """Commands that can be called by name, and nothing else."""

    @abc.abstractmethod
    def known(self) -> tuple[HostCommandInfo, ...]:
        """Return what can be called, in the order in which it is written."""

    @abc.abstractmethod
    def invocation(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Invocation:
        """Return how a command is started.

        Raise RecipeFault for a name that is not there and for a variable that may not be set.
        """
