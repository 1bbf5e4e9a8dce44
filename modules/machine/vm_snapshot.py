"""Save the whole state of a virtual machine, and go back to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import (
    Context,
    LabError,
    Machine,
    MachineSnapshot,
    Misfit,
    Module,
    RecipeFault,
    Result,
    arg,
    device,
)

_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)


class Snapshots(Result):
    """Every snapshot that there is now."""

    snapshots: tuple[MachineSnapshot, ...]
    names: tuple[str, ...]


class VmSnapshot(Module):
    """Save memory, devices and disks of a virtual machine, go back to that, delete it, or list all.

    They are in the disk: it needs `format: qcow2`, and a disk with a `path` keeps them beyond the run. The
    machine has to be on, or paused. A name that is taken is refused, unless `replace` says otherwise.

    Example::

        - vm_snapshot: {save: booted}
        - vm_snapshot: {load: booted}
        - vm_snapshot:
          expect: "'booted' in result.names"
        - vm_snapshot: {delete: booted}
    """

    save: str = arg(default="", help="save it under this name")
    load: str = arg(default="", help="go back to this one")
    delete: str = arg(default="", help="delete this one; when there is none, do nothing")
    replace: bool = arg(default=False, help="save: over one of that name")
    vm: Machine = device(help="the virtual machine")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse two things at once, and names that QEMU could take for numbers or for two words."""
        wanted = [verb for verb in ("save", "load", "delete") if given.get(verb)]
        if len(wanted) > 1:
            yield Misfit(wanted[1], f"{wanted[0]!r} and {wanted[1]!r} exclude one another", "write two steps")
        for verb in wanted:
            if not _NAME.fullmatch(given[verb]):
                yield Misfit(
                    verb,
                    f"{given[verb]!r} is no name for a snapshot",
                    "a letter, then letters, digits, _ . -",
                )

    def run(self, context: Context) -> Snapshots:
        """Do it, and list them."""
        verb, name = self._wanted()
        there = {each.name for each in self.vm.snapshots()} if verb else set()
        if verb == "save":
            self._save(name, there)
        elif verb == "load":
            if name not in there:
                raise LabError(f"there is no snapshot {name!r}", evidence={"snapshots": sorted(there)})
            self.vm.load_snapshot(name)
        elif verb == "delete" and name in there:
            self.vm.delete_snapshot(name)
        found = self.vm.snapshots()
        context.log(f"snapshots: {', '.join(each.name for each in found) or 'none'}")
        return Snapshots(snapshots=found, names=tuple(each.name for each in found))

    def predict(self, context: Context) -> str:
        """Look which there are."""
        del context
        verb, name = self._wanted()
        there = [each.name for each in self.vm.snapshots()]
        return f"would {verb or 'list'} {name or 'them'}: there is {', '.join(there) or 'no snapshot'}"

    def _wanted(self) -> tuple[Literal["save", "load", "delete", ""], str]:
        if self.save:
            return "save", self.save
        if self.load:
            return "load", self.load
        return ("delete", self.delete) if self.delete else ("", "")

    def _save(self, name: str, there: set[str]) -> None:
        if name in there and not self.replace:
            raise RecipeFault(f"there is a snapshot {name!r} already", hint="replace: true saves over it")
        self.vm.save_snapshot(name)
        if name not in {each.name for each in self.vm.snapshots()}:
            raise LabError(f"QEMU has saved no snapshot {name!r}")
