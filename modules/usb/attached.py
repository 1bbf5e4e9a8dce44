"""Which USB devices are plugged in, as the kernel shows them (Linux, Documentation/ABI, sysfs-bus-usb).

Nothing is opened for that, so it works without permission for the devices, and an error can name them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.api import LabError, Unreachable

DEVICES = Path("/sys/bus/usb/devices")


@dataclass(frozen=True)
class Attached:
    """A device as it stands: plugged out and in again, it has another address."""

    location: str
    """The number of its bus and its path of ports from there, ``1-1.4.2``; ``usb1`` is a root hub."""
    vendor: int
    product: int
    bus: int
    address: int
    serial: str
    name: str
    """What it says to be (iProduct); empty when it says nothing."""
    kind: int
    """Its class (bDeviceClass): 9 for hubs, 0 when its interfaces say it."""
    generation: float
    """Of USB, as 2.0 or 3.2 (bcdUSB)."""

    @property
    def folder(self) -> Path:
        """Its folder in sysfs."""
        return DEVICES / self.location

    @property
    def node(self) -> str:
        """Its file, through which it is talked to."""
        return f"/dev/bus/usb/{self.bus:03}/{self.address:03}"

    @property
    def short(self) -> str:
        """What tells it from others of its kind: its serial number, or else where it is."""
        return self.serial or self.location

    def __str__(self) -> str:
        """Return where it is, and its serial number."""
        return f"{self.location} (serial {self.serial})" if self.serial else f"{self.location} (no serial)"


def attached(kinds: Sequence[tuple[int, int]] | None = None) -> list[Attached]:
    """Return the devices of these kinds (vendor and product), or all, by their locations."""
    return sorted(
        (each for each in _all() if kinds is None or (each.vendor, each.product) in kinds),
        key=lambda each: each.location,
    )


def owner(path: Path) -> Attached | None:
    """Return the USB device that something in sysfs is part of; None when it is on no USB."""
    for folder in path.resolve().parents:
        if (folder / "idVendor").exists():
            return _device(folder)
    return None


def the_one(found: Iterable[Attached], what: str, *, serial: str = "", location: str = "") -> Attached:
    """Return the device that is meant; raise when there is none, or when it is not said which one.

    `what`: what it is called in messages.
    """
    there = list(found)
    fitting = [
        each for each in there if serial in ("", each.serial) and location in ("", each.location, each.serial)
    ]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(map(str, there))
    evidence = {"there": [str(each) for each in there], "serial": serial, "location": location}
    if len(fitting) > 1:
        raise LabError(
            f"{len(fitting)} devices could be this {what}: {listed}",
            evidence=evidence,
            hint="say which one with the option 'serial'" if not location else "",
        )
    which = f" with the serial {serial!r}" if serial else f" at {location!r}" if location else ""
    raise Unreachable(
        f"no {what}{which} on USB" + (f"; there is {listed}" if there else ""),
        evidence=evidence,
        hint="is it plugged into this host, and does 'lsusb' show it?",
    )


def _all() -> Iterator[Attached]:
    if not DEVICES.is_dir():
        return
    for folder in DEVICES.iterdir():
        if ":" not in folder.name and (found := _device(folder)) is not None:
            yield found


def _device(folder: Path) -> Attached | None:
    """Read a device's folder; None when it has gone meanwhile."""
    try:
        return Attached(
            location=folder.name,
            vendor=int(text_of(folder / "idVendor"), 16),
            product=int(text_of(folder / "idProduct"), 16),
            bus=int(text_of(folder / "busnum")),
            address=int(text_of(folder / "devnum")),
            serial=text_of(folder / "serial", otherwise=""),
            name=text_of(folder / "product", otherwise=""),
            kind=int(text_of(folder / "bDeviceClass"), 16),
            generation=float(text_of(folder / "version", otherwise="0")),
        )
    except (OSError, ValueError):
        return None


def text_of(path: Path, otherwise: str | None = None) -> str:
    """Return what a file of sysfs says; `otherwise` for one that is not there, or raise its OSError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        if otherwise is None:
            raise
        return otherwise
