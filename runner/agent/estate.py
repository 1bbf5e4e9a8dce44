"""What an agent that is killed leaves to its warden: code, last orders, and the locks of its benches."""

from __future__ import annotations

import contextlib
import os
import sys
from _socket import SCM_RIGHTS, SOL_SOCKET, socketpair

_NOT_TO_BE_RUN = 8
"""MFD_NOEXEC_SEAL."""


class Estate:
    """Lives in memory that both share; made before they part.

    The locks are sent to a socket that nobody reads: while they are under way there (unix(7),
    SCM_RIGHTS), their files stay open, and so locked, until the warden has ended, too.
    """

    def __init__(self) -> None:
        """Leave nothing yet."""
        self._code, self._orders = _memory("code"), _memory("orders")
        self._locks = socketpair()
        self._locks[1].setblocking(False)

    def keep_code(self, payload: bytes) -> None:
        """Leave what was pushed; orders without code could not be carried out."""
        os.write(self._code, len(payload).to_bytes(4, "big") + payload)

    def keep_orders(self, request: bytes) -> None:
        """Leave a request on a line of its own, behind those before it."""
        os.write(self._orders, request + b"\n")

    def keep_lock(self, descriptor: int) -> None:
        """Leave a lock; it holds on until it is unlocked, or both of us have ended."""
        self._locks[0].sendmsg([b"-"], [(SOL_SOCKET, SCM_RIGHTS, descriptor.to_bytes(4, sys.byteorder))])

    def forget_locks(self) -> None:
        """Take back every lock that was left; all of them are unlocked by now."""
        with contextlib.suppress(BlockingIOError):
            while True:
                _data, left, _flags, _address = self._locks[1].recvmsg(1, 64)
                for _level, _type, descriptor in left:
                    os.close(int.from_bytes(descriptor[:4], sys.byteorder))

    def settle(self) -> None:
        """Leave no orders: they have been carried out."""
        os.ftruncate(self._orders, 0)

    @property
    def settled(self) -> bool:
        """Tell whether there are no orders."""
        return not os.fstat(self._orders).st_size

    def close(self) -> None:
        """Leave nothing any more."""
        for descriptor in (self._code, self._orders):
            os.close(descriptor)
        for end in self._locks:
            end.close()

    def code(self) -> list[bytes]:
        """Return everything that was pushed."""
        data, found = _all_of(self._code), []
        while data:
            size = 4 + int.from_bytes(data[:4], "big")
            found.append(data[4:size])
            data = data[size:]
        return found

    def orders(self) -> list[bytes]:
        """Return the requests, without one that was being written when its writer was killed."""
        return _all_of(self._orders).split(b"\n")[:-1]


def _memory(name: str) -> int:
    """Make a file in memory; some machines allow none that could be run (memfd_create(2), Linux 6.3)."""
    try:
        return os.memfd_create(name, os.MFD_CLOEXEC | _NOT_TO_BE_RUN)
    except OSError:  # an older kernel does not know that flag
        return os.memfd_create(name, os.MFD_CLOEXEC)


def _all_of(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
