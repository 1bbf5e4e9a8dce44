"""Change a virtual machine between two of its lives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Machine, MachineForward, MachineInfo, Misfit, Module, Size, arg, device
from runner.modules.machine.options import CloudInit, Forward

_CHANGES = ("memory", "cpus", "disk_size", "forwards", "user_data")


class VmConfig(Module):
    """Change a virtual machine that is stopped: processors, memory, disk, forwards, words for cloud-init.

    It is started with them from then on, until the end of the run; a disk that has grown stays so. What
    is left out stays as it is. A disk cannot be made smaller.

    Example::

        - vm_config: {memory: 1GiB, disk_size: 20GiB}
        - vm_config: {forwards: {web: {guest: 80}}}
          expect: result.state == 'stopped'
    """

    memory: Size | None = arg(default=None, help="how much memory it is to have", minimum=2**20)
    cpus: int | None = arg(default=None, help="how many processors it is to have", minimum=1)
    disk_size: Size | None = arg(default=None, help="how much its disk is to hold", minimum=1)
    forwards: dict[str, Forward] | None = arg(
        default=None, help="the ports of the host that are to lead into it, in place of all that it has"
    )
    user_data: str | None = arg(
        default=None,
        help="a #cloud-config, or a script, that cloud-init is to find; empty: no cloud-init at all",
    )
    vm: Machine = device(help="the virtual machine")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse to change nothing, and a text that cloud-init would pass over."""
        if all(name in given and given[name] is None for name in _CHANGES):
            yield Misfit("memory", "there is nothing to change", ", ".join(_CHANGES))
        yield from CloudInit.misfits({"user_data": given.get("user_data") or ""})

    def run(self, context: Context) -> MachineInfo:
        """Change it, and tell what it is now."""
        del context
        self.vm.configure(
            cpus=self.cpus,
            memory=self.memory,
            disk_size=self.disk_size,
            forwards=None if self.forwards is None else {n: _wanted(f) for n, f in self.forwards.items()},
            user_data=self.user_data,
        )
        return self.vm.info()


def _wanted(each: Forward) -> MachineForward:
    return MachineForward(protocol=each.protocol, host=each.address, port=each.host, guest=each.guest)
