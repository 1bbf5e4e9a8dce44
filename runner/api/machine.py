"""Virtual machines as instruments: what their drivers offer, and modules ask for."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from runner.api.interfaces import Interface
from runner.api.module import Result
from runner.api.picture import Picture
from runner.api.values import Secret, Size
from runner.api.verdicts import Unsupported

if TYPE_CHECKING:
    from runner.api.context import Context

MachineState = Literal["running", "paused", "stopped", "absent", "failed"]
"""`absent`: there is none, it is made when it is started. `failed`: it can only be deleted."""


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


class MachineConsole(Result):
    """A console that the machine has."""

    name: str
    id: str


class MachineConsoleUrl(Result):
    """Where a console is reached once."""

    url: Secret
    """Of a WebSocket. It opens the console without more being asked, so no report shows it."""
    console_id: str


class MachineInfo(Result):
    """What a machine is, and where it is reached."""

    state: MachineState
    status: str
    """The machine's own word for it: ``running``, ``guest-panicked``, ``internal-error`` …"""
    version: str
    """Of what runs it."""
    accelerator: str
    """``kvm``, or ``tcg`` when its processor is emulated."""
    cpus: int | None
    """None where the machine does not tell."""
    memory: Size | None
    """The same."""
    disks: tuple[MachineDisk, ...]
    forwards: Mapping[str, MachineForward]
    """By their names in the inventory."""
    vnc: str
    """The VNC server's socket on the host; empty when there is none."""
    vsock: int | None
    """Its CID; none when it has no vsock."""
    pid: int | None
    """Its process on the host; none while it is stopped."""
    id: str = ""
    """What a service that runs it calls it; empty while there is none."""
    project: str = ""
    """Where it is within that service."""
    model: str = ""
    """What it emulates."""
    consoles: tuple[MachineConsole, ...] = ()
    """Those that can be told apart by a name."""


class MachineSnapshot(Result):
    """A state of the whole machine that can be returned to."""

    name: str
    size: Size | None
    """Of its memory and devices; what the disks hold comes on top. None where nobody tells."""
    taken: float
    """When, in seconds since 1970."""


class Machine(Interface):
    """A virtual machine. Only `monitor` is a must; what a driver cannot do is Unsupported."""

    @abc.abstractmethod
    def monitor(self, command: str, arguments: Mapping[str, object]) -> object:
        """Run one command of the machine's monitor (QMP) and return its answer."""

    @property
    def polls(self) -> int:
        """How often it was looked at until the last order was carried out; 0 where nothing is waited for."""
        return 0

    def abandon(self) -> None:
        """Have the order that is under way end soon: nobody waits for it any more. From any thread."""

    def state(self) -> MachineState:
        """Tell whether it runs."""
        raise _cannot("tell whether it runs")

    def info(self) -> MachineInfo:
        """Tell what it is; of a machine that is stopped, what it will be."""
        raise _cannot("tell what it is")

    def start(self) -> None:
        """Start it; when it runs, do nothing. One that is paused goes on, one that is absent is made."""
        raise _cannot("be started")

    def pause(self) -> None:
        """Stop its processors; raise LabError when it is stopped."""
        raise _cannot("be paused")

    def stop(self) -> None:
        """End it at once, as pulling a plug does; when it is stopped, do nothing."""
        raise _cannot("be stopped")

    def reset(self) -> None:
        """Have it start anew, as its reset button does; raise LabError when it is stopped."""
        raise _cannot("be reset")

    def delete(self) -> None:
        """Delete it with all that it holds, and wait until it is gone; where there is none, do nothing."""
        raise _cannot("be deleted")

    def console_url(self, name: str) -> MachineConsoleUrl:
        """Return where the console of that name is; empty: its only one."""
        del name
        raise _cannot("tell the URL of a console")

    def shut_down(self, within: float, context: Context) -> bool:
        """Press its power button (ACPI) and wait; False when the guest has not ended in so many seconds."""
        del within, context
        raise _cannot("be asked to shut down")

    def configure(
        self,
        *,
        cpus: int | None = None,
        memory: Size | None = None,
        disk_size: Size | None = None,
        forwards: Mapping[str, MachineForward] | None = None,
        user_data: str | None = None,
    ) -> None:
        """Change what it will be when it is started next; None leaves it as it is.

        `forwards`: all that it has then; port 0 is a free one. `user_data`: what cloud-init reads;
        empty: nothing. Raise LabError while it runs, for a disk that would shrink, and where there is no
        space.
        """
        del cpus, memory, disk_size, forwards, user_data
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
