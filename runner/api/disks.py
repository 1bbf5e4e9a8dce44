"""What this machine does with a disk of its own, so that nobody's file systems are written over."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_SYS = Path("/sys/dev/block")
"""A folder for each block device, by its number (sysfs(5))."""


def refusal(path: str) -> str:
    """Say why a block device should not be written: it is in use, or built in; empty when it may be."""
    found = os.stat(path)  # noqa: PTH116 - symbolic links are followed here
    if not stat.S_ISBLK(found.st_mode):
        return ""
    return in_use(path) or ("" if removable(path) else f"{path} is a disk that is built in")


def in_use(path: str) -> str:
    """Say what uses a block device or a partition of it; empty when nothing does."""
    folder = _folder(path)
    parts = [folder, *(each.parent for each in folder.glob("*/partition"))]
    numbers = {(each / "dev").read_text(encoding="ascii").strip(): each.name for each in parts}
    for number, source, where in _mounts():
        name = numbers.get(number) or (Path(source).name if Path(source).name in numbers.values() else "")
        if name:
            return f"/dev/{name} is mounted at {where}"
    swaps = Path("/proc/swaps").read_text(encoding="utf-8")
    for each in parts:
        if f"/dev/{each.name} " in swaps:
            return f"/dev/{each.name} is swap space"
        holders = [found.name for found in (each / "holders").glob("*")]
        if holders:
            return f"/dev/{each.name} is part of {', '.join(holders)}"
    return ""


def removable(path: str) -> bool:
    """Tell whether a block device can be taken away: it says so, hangs on USB, or is an SD card."""
    disk = _disk(_folder(path))
    kind = disk / "device" / "type"
    return (
        (disk / "removable").read_text(encoding="ascii").strip() == "1"
        or "/usb" in str(disk)
        or (kind.exists() and kind.read_text(encoding="ascii").strip() == "SD")
    )


def _folder(path: str) -> Path:
    number = os.stat(path).st_rdev  # noqa: PTH116 - symbolic links are followed here
    return (_SYS / f"{os.major(number)}:{os.minor(number)}").resolve()


def _disk(folder: Path) -> Path:
    return folder.parent if (folder / "partition").exists() else folder


def _mounts() -> Iterator[tuple[str, str, str]]:
    """Return device number, source and place of each mount (proc(5), /proc/pid/mountinfo)."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        fields, _, rest = line.partition(" - ")
        yield fields.split()[2], rest.split()[1], fields.split()[4]
