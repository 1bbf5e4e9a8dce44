"""Which disks are behind a USB device (Linux, Documentation/ABI/stable/sysfs-block)."""

from __future__ import annotations

from pathlib import Path

from runner.api import LabError, Unreachable
from runner.modules.usb.attached import Attached

_DISKS = Path("/sys/class/block")


def disk_beside(found: Attached, name: str, option: str) -> str:
    """Return the path of the only disk below the hub that a device is plugged into.

    Looked up anew at each call: it has another name after every replug. Raise Unreachable when there is
    none (yet), LabError when there are several; `option` then says which.
    """
    hint = f"say which one with the option {option!r}, by a path in /dev/disk/by-path"
    return _only(found.folder.resolve().parent, f"beside {name}", hint)


def disk_of(found: Attached, name: str) -> str:
    """Return the path of the only disk of a device; raise Unreachable when there is none (yet)."""
    return _only(found.folder.resolve(), f"of {name}", "")


def _only(folder: Path, where: str, hint: str) -> str:
    disks = sorted(each.name for each in _disks() if folder in each.resolve().parents)
    if len(disks) > 1:
        raise LabError(f"several disks {where}: {', '.join(disks)}", evidence={"disks": disks}, hint=hint)
    if not disks:
        raise Unreachable(f"no disk {where} (yet)", evidence={"below": str(folder)})
    return f"/dev/{disks[0]}"


def _disks() -> list[Path]:
    """Return what is no partition."""
    if not _DISKS.is_dir():
        return []
    return [each for each in _DISKS.iterdir() if not (each / "partition").exists()]
