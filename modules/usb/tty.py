"""Serial ports of USB devices, found by the device (Linux, Documentation/ABI, sysfs-tty)."""

from __future__ import annotations

from pathlib import Path

from runner.api import LabError, Unreachable
from runner.console import DescriptorPort, Stream, own_terminal
from runner.modules.usb.attached import Attached

_TERMINALS = Path("/sys/class/tty")


def tty_of(found: Attached, name: str, option: str) -> str:
    """Return the path of the only tty of a USB device, or of what has the same serial number.

    Looked up anew at each call. Raise Unreachable when there is none, LabError when there are several;
    `option` then says which.
    """
    there = sorted(each.name for each in _terminals() if _belongs(each.resolve(), found))
    if len(there) > 1:
        raise LabError(
            f"{name} has several serial ports: {', '.join(there)}",
            evidence={"ttys": there},
            hint=f"say which one with the option {option!r}, by a path in /dev/serial/by-path",
        )
    if not there:
        raise Unreachable(f"{name} has no serial port (yet)", evidence={"device": found.location})
    return f"/dev/{there[0]}"


def open_tty(path: str, baudrate: int) -> Stream:
    """Open a tty for us alone, raw; raise Unreachable when that cannot be done."""
    import termios

    import serial

    port = serial.Serial(baudrate=baudrate, exclusive=True)
    port.port = path
    try:
        port.open()
        own_terminal(port.fileno())
    except (serial.SerialException, OSError, ValueError, termios.error) as error:
        port.close()
        raise Unreachable(
            f"cannot open the serial port {path!r}: {error}",
            evidence={"port": path, "baudrate": baudrate},
            hint="'fuser -v' names who uses it" if "lock" in str(error) else "",
        ) from error
    return DescriptorPort(port, path)


def _terminals() -> list[Path]:
    return list(_TERMINALS.iterdir()) if _TERMINALS.is_dir() else []


def _belongs(terminal: Path, found: Attached) -> bool:
    if found.folder.resolve() in terminal.parents:
        return True
    return bool(found.serial) and found.serial in _serials(terminal)


def _serials(terminal: Path) -> set[str]:
    """Return the serial numbers of what a tty is below."""
    files = (folder / "serial" for folder in terminal.parents)
    return {each.read_text(encoding="utf-8", errors="replace").strip() for each in files if each.is_file()}
