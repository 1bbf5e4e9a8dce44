"""Locks on single bytes of a file: they go with their descriptor, and can be asked for without taking them.

fcntl_locking(2), "Open file description locks": the kernel drops them when the last copy of the
descriptor is closed, so with the process, however that ends. A lock of one's own is never reported.
"""

from __future__ import annotations

import fcntl
import struct

_FLOCK = struct.Struct("@hhqqi4x")
"""``struct flock`` with 64-bit offsets: type, whence, start, length, process."""
_SET = 0
"""SEEK_SET: the start counts from the beginning of the file."""


def lock_byte(descriptor: int, place: int) -> bool:
    """Lock a byte for writing; tell whether that was possible at once."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, _SET, place, 1, 0))
    except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES
        return False
    return True


def unlock_byte(descriptor: int, place: int) -> None:
    """Unlock a byte."""
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, _SET, place, 1, 0))


def locked_within(descriptor: int, start: int, end: int) -> int | None:
    """Return a byte of [start, end) that another descriptor has locked, not always the first; or None."""
    if start >= end:
        return None
    asked = _FLOCK.pack(fcntl.F_WRLCK, _SET, start, end - start, 0)
    kind, _whence, found, _length, _pid = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else max(int(found), start)


def all_locked(descriptor: int, start: int, end: int) -> list[int]:
    """Return every byte of [start, end) that other descriptors have locked, in order."""
    found: list[int] = []
    unknown = [(start, end)]
    while unknown:
        first, last = unknown.pop()
        locked = locked_within(descriptor, first, last)
        if locked is not None:
            found.append(locked)
            unknown += [(first, locked), (locked + 1, last)]
    return sorted(found)
