"""The queue before a bench: who came first is served first, and who dies leaves no gap.

A ticket is a locked byte of the bench's queue file, at the place of its number. The kernel unlocks it
with its process, so nobody has to clean up after the dead. Who has it is written beside, for people.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.agent.byte_locks import all_locked, lock_byte, locked_within, unlock_byte
from runner.agent.holder import LONGEST, Holder, read, write
from runner.agent.lock_files import file_name, opened

_FIRST, _END = 1, 2**31


def queue_file(folder: Path, bench: str) -> Path:
    """Return the file of a bench's queue."""
    return folder / f"{file_name(bench)}.queue"


class Ticket:
    """A place in a queue, until it is closed."""

    def __init__(self, path: Path, holder: Holder) -> None:
        """Go to the end of the queue."""
        self._descriptor = opened(path)
        self.number = self._draw()
        write(self._descriptor, holder, self.number * LONGEST)

    def first(self, counts: Callable[[Holder | None], bool] | None = None) -> bool:
        """Tell whether nobody is ahead; of those who are, only who `counts` says so matters."""
        if counts is None:
            return locked_within(self._descriptor, _FIRST, self.number) is None
        return not any(counts(each) for each in self.ahead())

    def ahead(self) -> list[Holder | None]:
        """Return who is ahead, the first first; None for one who has not written down who that is."""
        return [self._read(each) for each in all_locked(self._descriptor, _FIRST, self.number)]

    def behind(self) -> int:
        """Return how many came later."""
        return sum(1 for _ in all_locked(self._descriptor, self.number + 1, _END))

    def close(self) -> None:
        """Leave the queue."""
        unlock_byte(self._descriptor, self.number)
        os.close(self._descriptor)

    def _draw(self) -> int:
        while True:
            number = max(all_locked(self._descriptor, _FIRST, _END), default=_FIRST - 1) + 1
            if lock_byte(self._descriptor, number):
                return number

    def _read(self, number: int) -> Holder | None:
        return read(self._descriptor, number * LONGEST)


def waiting(path: Path) -> Iterator[Holder | None]:
    """Return who waits in a queue, the first first."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        for number in all_locked(descriptor, _FIRST, _END):
            yield read(descriptor, number * LONGEST)
    finally:
        os.close(descriptor)
