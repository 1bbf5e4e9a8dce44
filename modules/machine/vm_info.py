"""Look at a virtual machine."""

from __future__ import annotations

from runner.api import Context, Machine, MachineInfo, Module, device


class VmInfo(Module):
    """Tell what a virtual machine is doing, what it has, and where it is reached.

    Example::

        - vm_info:
          register: vm
        - log: "its SSH is at port {{ vm.forwards.ssh.port }}"
    """

    reads_only = True

    vm: Machine = device(help="the virtual machine")

    def run(self, context: Context) -> MachineInfo:
        """Ask it."""
        del context
        return self.vm.info()
