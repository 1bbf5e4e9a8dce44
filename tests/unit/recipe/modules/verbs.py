"""Verbs that the tests of recipes use; none of them does anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.api import CanBus, Context, Duration, Module, Power, Result, Secret, Storage, arg, device
from runner.api.judged import Judged


class Ran(Result):
    """What a command printed."""

    output: str
    status: int | None
    elapsed: Duration


class Booted(Result):
    """How a board booted."""

    elapsed: Duration
    times: dict[str, float]
    first: Ran
    lines: list[str]


class TryCommand(Module):
    """Pretend to run a command."""

    command: str = arg(primary=True, help="the command line")
    check: bool = arg(default=True, help="fail when the status is not 0")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")

    def run(self, context: Context) -> Ran:
        """Do nothing."""
        raise AssertionError("a check runs nothing")


class TryCycle(Module):
    """Pretend to switch a board off and on."""

    off_time: Duration = arg(default=Duration("1s"), help="how long it stays off")
    power: Power = device()

    def run(self, context: Context) -> None:
        """Do nothing."""


class TryLogin(Module):
    """Pretend to log in."""

    user: str = arg(primary=True, help="who")
    password: Secret = arg(default=Secret(""), help="the password")

    def run(self, context: Context) -> Booted:
        """Do nothing."""
        raise AssertionError("a check runs nothing")


class TryCopy(Module):
    """Pretend to copy from one medium to another."""

    source: Storage = device()
    target: Storage = device()

    def run(self, context: Context) -> None:
        """Do nothing."""


class TryLead(Module):
    """Lead to an address, or to a device that is at one."""

    to: str = arg(primary=True, help="where to")

    @classmethod
    def leads_to(cls, given: Mapping[str, object]) -> str:
        """Name the only argument."""
        del given
        return "to"

    def run(self, context: Context) -> None:
        """Go nowhere."""


class TryAll(Module):
    """Pretend to look at every bus."""

    buses: tuple[CanBus, ...] = device(every=True)
    power: Power | None = device(optional=True)

    def run(self, context: Context) -> None:
        """Do nothing."""


class TryLog(Module):
    """Pretend to say something."""

    runs_on = "controller"
    text: str = arg(primary=True, help="what to say")

    def run(self, context: Context) -> None:
        """Do nothing."""


class TrySet(Module):
    """Pretend to define variables."""

    runs_on = "controller"
    defines = "values"
    values: dict[str, Any] = arg(rest=True, help="names and values")

    def run(self, context: Context) -> None:
        """Do nothing."""


class TryThat(Module):
    """Pretend to judge."""

    runs_on = "controller"
    that: list[Judged] = arg(primary=True, help="conditions")

    def run(self, context: Context) -> None:
        """Do nothing."""


class TrySecret(Module):
    """Pretend to take a secret."""

    token: Secret = arg(primary=True, secret=True, help="the token")

    def run(self, context: Context) -> None:
        """Do nothing."""
