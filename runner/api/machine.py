"""Virtual machines as instruments: what their drivers offer, and modules ask for."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from runner.api.interfaces import Interface
from runner.api.module import Result
from runner.api.picture import Picture
from runner.api.values import Size
from runner.api.verdicts import Unsupported

if TYPE_CHECKING:
    from runner.api.context import Context

MachineState = Literal["running", "paused", "stopped"]


class MachineDisk(Result):
    """A medium of a machine, as the machine runs with it."""

    name: str
    path: str
    """The file on the host; for what is not one, how the machine names it."""
    format: str
    """``raw``, ``qcow2``, ``vvfat`` …"""
    size: Size
    """How much the guest sees of it."""
    writable: bool


class MachineForward(Result):
    """A port of the host that leads into the guest."""

    protocol: str
    host: str
    """The address on the host."""
    port: int
    guest: int
    """The port in the guest."""


class MachineInfo(Result):
    """What a machine is, and where it is reached."""

    state: MachineState
    status: str
    """The machine's own word for it: ``running``, ``guest-panicked``, ``internal-error`` …"""
    version: str
    """Of what runs it."""
    accelerator: str
    """``kvm``, or ``tcg`` when its processor is emulated."""
    cpus: int
    memory: Size
    disks: tuple[MachineDisk, ...]
    forwards: Mapping[str, MachineForward]
    """By their names in the inventory."""
    vnc: str
    """The VNC server's socket on the host; empty when there is none."""
    vsock: int | None
    """Its CID; none when it has no vsock."""
    pid: int | None
    """Its process on the host; none while it is stopped."""


class MachineSnapshot(Result):
    """A state of the whole machine that can be returned to."""

    name: str
    size: Size
    """Of its memory and devices; what the disks hold comes on top."""
    taken: float
    """When, in seconds since 1970."""


class Machine(Interface):
    """A virtual machine. Only `monitor` is a must; what a driver cannot do is Unsupported."""

    @abc.abstractmethod
    def monitor(self, command: str, arguments: Mapping[str, object]) -> object:
        """Run one command of the machine's monitor (QMP) and return its answer."""

    def state(self) -> MachineState:
        """Tell whether it runs."""
        raise _cannot("tell whether it runs")

    def info(self) -> MachineInfo:
        """Tell what it is; of a machine that is stopped, what it will be."""
        raise _cannot("tell what it is")

    def start(self) -> None:
        """Start it; when it runs, do nothing. One that is paused goes on."""
        raise _cannot("be started")

    def pause(self) -> None:
        """Stop its processors; raise LabError when it is stopped."""
        raise _cannot("be paused")

    def stop(self) -> None:
        """End it at once, as pulling a plug does; when it is stopped, do nothing."""
        raise _cannot("be stopped")

    def shut_down(self, within: float, context: Context) -> bool:
        """Press its power button (ACPI) and wait; False when the guest has not ended in so many seconds."""
        del within, context
        raise _cannot("be asked to shut down")

    def configure(
        self, *, cpus: int | None = None, memory: Size | None = None, disk_size: Size | None = None
    ) -> None:
        """Change what it will be when it is started next; None leaves it as it is.

        Raise LabError while it runs, for a disk that would shrink, and where there is no space.
        """
        del cpus, memory, disk_size
        raise _cannot("be changed")

    def screendump(self) -> Picture:
        """Return what its screen shows."""
        raise _cannot("show its screen")

    def press(self, keys: Sequence[str], hold: float) -> None:
        """Press these keys together for `hold` seconds; raise RecipeFault for a name that is none."""
        del keys, hold
        raise _cannot("press keys")

    def snapshots(self) -> tuple[MachineSnapshot, ...]:
        """Return its snapshots."""
        raise _cannot("make snapshots")

    def save_snapshot(self, name: str) -> None:
        """Save its whole state under a name that it has not yet."""
        del name
        raise _cannot("make snapshots")

    def load_snapshot(self, name: str) -> None:
        """Go back to a state; raise LabError when there is none of that name."""
        del name
        raise _cannot("make snapshots")

    def delete_snapshot(self, name: str) -> None:
        """Delete a state; when there is none of that name, do nothing."""
        del name
        raise _cannot("make snapshots")


def _cannot(what: str) -> Unsupported:
    return Unsupported(f"this machine cannot {what}")
