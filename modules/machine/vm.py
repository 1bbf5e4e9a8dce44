"""Start, pause, stop and delete a virtual machine."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, LabError, Machine, MachineState, Module, Result, arg, device
from runner.console import Console

_SILENT = frozenset({"stopped", "absent", "failed"})


class VmSwitched(Result):
    """What it was, and what it is now."""

    previous: MachineState
    state: MachineState
    shut_down: bool | None
    """Whether the guest ended by itself when it was asked to; none when it was not asked."""
    elapsed: Duration
    created: bool = False
    """Whether it was made: there was none."""
    destroyed: bool = False
    """Whether it was deleted."""
    polls: int = 0
    """How often it was looked at until it was so; 0 where nothing has to be waited for."""


class Vm(Module):
    """Start, pause, stop, reset or delete a virtual machine.

    Asked to stop, its power button is pressed (ACPI): a guest that has not ended `within` the time is
    switched off as by pulling the plug, and the result says so. A guest without ACPI never ends by itself.

    A machine of a service that there is not yet is made when it is started, and `absent` deletes it.

    Example::

        - vm: running
        - vm: {state: stopped, within: 60s}
          expect: result.shut_down
        - vm: {state: stopped, graceful: false}
    """

    state: Literal["running", "paused", "stopped", "reset", "absent"] = arg(
        primary=True, help="what it is to be"
    )
    graceful: bool = arg(default=True, help="stopped: ask the guest first")
    within: Duration = arg(default=Duration("30s"), help="stopped: how long the guest may take to end")
    vm: Machine = device(help="the virtual machine")
    consoles: tuple[Console, ...] = device(every=True, help="they are told that a restart is wanted")

    @classmethod
    def does_without(cls, given: Mapping[str, Any]) -> Collection[str]:
        """Leave out consoles that cannot be opened where the machine ends anyway."""
        return ("consoles",) if given["state"] in ("stopped", "absent") else ()

    def run(self, context: Context) -> VmSwitched:
        """Switch it, and look."""
        started = time.monotonic()
        previous = self.vm.state()
        leave = context.on_cancel(self.vm.abandon)
        try:
            shut_down = self._become(previous, context)
        except LabError:
            context.check_cancelled()
            raise
        finally:
            leave()
        state = self.vm.state()
        return VmSwitched(
            previous=previous,
            state=state,
            shut_down=shut_down,
            elapsed=Duration(time.monotonic() - started),
            created=previous == "absent" and state != "absent",
            destroyed=previous != "absent" and state == "absent",
            polls=self.vm.polls,
        )

    def predict(self, context: Context) -> str:
        """Look whether anything would change."""
        del context
        now = self.vm.state()
        if now == self.state:
            return f"the machine is {now} already: nothing would change"
        return f"would make the machine {self.state}: it is {now}"

    def _become(self, previous: MachineState, context: Context) -> bool | None:
        if self.state == "running":
            self._start(previous)
        elif self.state == "paused":
            self._pause(previous)
        elif self.state == "reset":
            self._reset()
        elif self.state == "absent":
            self._delete(previous)
        elif previous not in ("stopped", "absent"):
            return self._stop(context)
        return None

    def _start(self, previous: MachineState) -> None:
        if previous in _SILENT:
            for console in self.consoles:
                console.power_mark()
        self.vm.start()

    def _pause(self, previous: MachineState) -> None:
        if previous in _SILENT:
            self._start(previous)
        self.vm.pause()

    def _reset(self) -> None:
        for console in self.consoles:
            console.expect_reset()
        self.vm.reset()

    def _delete(self, previous: MachineState) -> None:
        for console in self.consoles if previous not in _SILENT else ():
            console.power_lost()
        self.vm.delete()

    def _stop(self, context: Context) -> bool | None:
        for console in self.consoles:
            console.power_lost()
        shut_down = self.vm.shut_down(self.within, context) if self.graceful else None
        if shut_down is False:
            context.log(f"the guest has not ended within {self.within}: it is switched off", "warning")
        self.vm.stop()
        return shut_down
