"""Change a virtual machine between two of its lives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Machine, MachineInfo, Misfit, Module, Size, arg, device


class VmConfig(Module):
    """Change the processors, the memory or the disk of a virtual machine that is stopped.

    It is started with them from then on, until the end of the run; a disk that has grown stays so. What
    is left out stays as it is. A disk cannot be made smaller.

    Example::

        - vm_config: {memory: 1GiB, disk_size: 20GiB}
    """

    memory: Size | None = arg(default=None, help="how much memory it is to have", minimum=2**20)
    cpus: int | None = arg(default=None, help="how many processors it is to have", minimum=1)
    disk_size: Size | None = arg(default=None, help="how much its disk is to hold", minimum=1)
    vm: Machine = device(help="the virtual machine")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse to change nothing."""
        if all(name in given and given[name] is None for name in ("memory", "cpus", "disk_size")):
            yield Misfit("memory", "there is nothing to change", "memory, cpus or disk_size")

    def run(self, context: Context) -> MachineInfo:
        """Change it, and tell what it is now."""
        del context
        self.vm.configure(cpus=self.cpus, memory=self.memory, disk_size=self.disk_size)
        return self.vm.info()
