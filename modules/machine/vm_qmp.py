"""Ask the monitor of a virtual machine."""

from __future__ import annotations

from typing import Any

from runner.api import Context, Machine, Module, Result, arg, device


class QmpAnswer(Result):
    """What it answered."""

    value: Any
    """As QEMU's reference describes it for this command; an empty mapping when there is nothing to say."""


class VmQmp(Module):
    """Run any command of QEMU's monitor (QMP) and return its answer.

    The commands are in QEMU's documentation, "QEMU QMP Reference Manual". What it refuses fails the
    step with its words.

    Example::

        - vm_qmp: query-status
          expect: result.value.running
        - vm_qmp: {command: device_del, arguments: {id: stick}}
    """

    command: str = arg(primary=True, help="the command")
    arguments: dict[str, Any] = arg(default={}, help="its arguments")
    vm: Machine = device(help="the virtual machine")

    def run(self, context: Context) -> QmpAnswer:
        """Run it."""
        del context
        return QmpAnswer(value=self.vm.monitor(self.command, self.arguments))

    def predict(self, context: Context) -> str:
        """Run what only asks."""
        if self.command.startswith("query-"):
            self.run(context)
        return f"would run {self.command!r}"
