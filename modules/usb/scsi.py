"""SCSI commands through the kernel's generic driver (Linux, scsi/sg.h; SCSI-Generic-HOWTO, chapter 6)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os

from runner.api import Duration, LabError, Unreachable

_SG_IO = 0x2285
_TO_DEVICE, _FROM_DEVICE = -2, -3
_SENSE = 64
_GONE = (errno.ENODEV, errno.ENXIO, errno.ENOENT)


class _Request(ctypes.Structure):
    """`sg_io_hdr_t`, with the machine's own alignment and pointers."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("direction", ctypes.c_int),
        ("command_length", ctypes.c_ubyte),
        ("sense_length", ctypes.c_ubyte),
        ("pieces", ctypes.c_ushort),
        ("length", ctypes.c_uint),
        ("data", ctypes.c_void_p),
        ("command", ctypes.c_void_p),
        ("sense", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("message_status", ctypes.c_ubyte),
        ("sense_written", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("missing", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


class ScsiDevice:
    """A device behind ``/dev/sgN``, opened for each command: it may be another after a replug.

    `name`: what it is called in messages; `limit`: how long a command may take.
    """

    def __init__(self, path: str, name: str, limit: Duration) -> None:
        """Take the device; nothing is opened yet."""
        self.path = path
        self._name = name
        self._limit = limit

    def write(self, command: bytes, data: bytes) -> None:
        """Send a command with data."""
        self._make(command, ctypes.create_string_buffer(data, len(data)), _TO_DEVICE)

    def read(self, command: bytes, length: int) -> bytes:
        """Send a command and return what it reads."""
        data = ctypes.create_string_buffer(length)
        missing = self._make(command, data, _FROM_DEVICE)
        return data.raw[: length - missing]

    def _make(self, command: bytes, data: ctypes.Array[ctypes.c_char], direction: int) -> int:
        """Send a command; return how many bytes are missing of the data. Raise when it did not succeed."""
        words = ctypes.create_string_buffer(command, len(command))
        sense = ctypes.create_string_buffer(_SENSE)
        request = _Request(
            interface_id=ord("S"),
            direction=direction,
            command_length=len(command),
            sense_length=_SENSE,
            length=len(data),
            data=ctypes.addressof(data),
            command=ctypes.addressof(words),
            sense=ctypes.addressof(sense),
            timeout=max(1, round(self._limit * 1000)),
        )
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(descriptor, _SG_IO, request)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._fault(error) from error
        self._check(request, sense.raw)
        return max(0, int(request.missing))

    def _check(self, request: _Request, sense: bytes) -> None:
        """Raise when the host, its driver or the device says that the command failed.

        Without a look at the host's status, a device that did not answer seems to have read zeros.
        """
        if not (request.status or request.host_status or request.driver_status & 0x0F):
            return
        said = {
            "status": request.status,
            "host_status": request.host_status,
            "driver_status": request.driver_status,
            "sense": sense[: request.sense_written].hex(" "),
        }
        kind = Unreachable if request.host_status else LabError
        shown = ", ".join(f"{name} {value}" for name, value in said.items() if value)
        raise kind(f"{self._name} did not do a command: {shown}", evidence={"device": self.path, **said})

    def _fault(self, error: OSError) -> LabError:
        evidence = {"device": self.path, "errno": error.errno}
        if error.errno in _GONE:
            return Unreachable(f"{self._name} has gone: {self.path}: {error.strerror}", evidence=evidence)
        if error.errno in (errno.EACCES, errno.EPERM):
            return Unreachable(
                f"no permission for {self._name}: {self.path}",
                evidence=evidence,
                hint="Debian's package usbsdmux has a rule for udev that gives it to the group plugdev",
            )
        return LabError(f"{self._name}: {self.path}: {error.strerror}", evidence=evidence)
