"""Which disks are behind a USB device (Linux, Documentation/ABI/stable/sysfs-block)."""

from __future__ import annotations

from pathlib import Path

from runner.api import LabError, Unreachable
from runner.api.medium import there
from runner.modules.usb.attached import Attached

_DISKS = Path("/sys/class/block")


def disk_beside(found: Attached, name: str, option: str) -> str:
    """Return the path of the only disk below the hub that a device is plugged into.

    Looked up anew at each call: it has another name after every replug. Raise Unreachable when there is
    none (yet), LabError when there are several; `option` then says which.
    """
    hub = found.folder.resolve().parent
    disks = sorted(each.name for each in _disks() if hub in each.resolve().parents)
    if len(disks) > 1:
        raise LabError(
            f"{name} has several disks beside it: {', '.join(disks)}",
            evidence={"disks": disks},
            hint=f"say which one with the option {option!r}, by a path in /dev/disk/by-path",
        )
    if not disks:
        raise Unreachable(f"no disk beside {name} (yet)", evidence={"hub": str(hub)})
    return there(f"/dev/{disks[0]}")


def _disks() -> list[Path]:
    """Return what is no partition."""
    if not _DISKS.is_dir():
        return []
    return [each for each in _DISKS.iterdir() if not (each / "partition").exists()]
