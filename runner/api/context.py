"""What a module sees of the run: a voice, a clock, and whether it should stop."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from runner.api.values import Duration, TargetPath
from runner.api.verdicts import RecipeFault

if TYPE_CHECKING:
    from runner.api.device_info import DeviceInfo

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True)
class Keep:
    """Where a file is to be written on the machine that runs `runner`: an argument of the step says it.

    `mode`: its permissions; as files are made there when left out. `replace`: whether a file that is
    there may be written over. `parents`: whether folders that are not there are made.
    """

    to: TargetPath
    mode: int | None = None
    replace: bool = True
    parents: bool = False


class Kept(NamedTuple):
    """What was kept of a file."""

    size: int
    sha256: str


class Context(abc.ABC):
    """Given to `Module.run`; the same on this machine and on a host."""

    bench: str
    """The bench's name."""
    devices: Mapping[str, str]
    """For each device field of the module, the name of the device it was given."""

    @abc.abstractmethod
    def log(self, text: str, level: Level = "info") -> None:
        """Say something in the report."""

    @abc.abstractmethod
    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        """Say how far a long step is; calls may come as often as one likes."""

    @abc.abstractmethod
    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Put a number into the report."""

    @abc.abstractmethod
    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        """Put a file into the run's ``artifacts/``: these bytes, or the file that is at a path here.

        With `keep` it is written to where that says instead. It has its name only when it is whole;
        of a file that grows, what there was at the beginning is kept.
        """

    @property
    @abc.abstractmethod
    def left(self) -> Duration:
        """The time until the step's hard limit."""

    @property
    @abc.abstractmethod
    def cancelled(self) -> bool:
        """True once the step must stop."""

    @abc.abstractmethod
    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when the step is cancelled (at once if it is already); return what takes it back."""

    @abc.abstractmethod
    def check_cancelled(self) -> None:
        """Raise Cancelled when the step must stop."""

    def forward(self, to: str, *, listen: str = "", reverse: bool = False) -> str:
        """Carry connections to this machine on to an address that the bench's host reaches.

        `reverse`: those to the host on to an address that this machine reaches. Return where
        it listens; it does so until the test ends. Only for modules that run on the controller.
        """
        del to, listen, reverse
        raise RecipeFault("only a module that runs on the controller can forward a port")

    def unforward(self, address: str) -> None:
        """End the forwards that listen at, or lead to, an address. Only for modules on the controller."""
        del address
        raise RecipeFault("only a module that runs on the controller can end a forward")

    def described(self) -> tuple[DeviceInfo, ...]:
        """Return what the inventory says of the bench's devices. Only for modules on the controller."""
        raise RecipeFault("only a module that runs on the controller knows the inventory")

    @abc.abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait; a cancel ends it with Cancelled."""
