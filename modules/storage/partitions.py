"""Parts of a medium by its partition table: MBR and GPT (UEFI Specification 2.10, chapter 5)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from runner.api import LabError, Size, Storage

_SECTORS = (512, 4096)
_MBR = struct.Struct("<B3xB3xII")
_GPT_HEADER = struct.Struct("<8s64xQII")
_GPT_ENTRY = struct.Struct("<16s16sQQ8x72s")
_PROTECTIVE, _EMPTY = 0xEE, 0
_EXTENDED = (0x05, 0x0F, 0x85)
_MOST_LOGICAL = 60


class _Readable(Protocol):
    def read(self, offset: int, length: int) -> bytes: ...


@dataclass(frozen=True)
class Partition:
    """A part of a disk, in bytes; MBR has no names."""

    number: int
    start: int
    length: int
    name: str = ""


def partitions(disk: _Readable) -> tuple[Partition, ...]:
    """Return the partitions of a disk; none when it has no table."""
    first = disk.read(0, 512)
    if len(first) < 512 or first[510:] != b"\x55\xaa":
        return ()
    entries = [_MBR.unpack_from(first, 446 + 16 * index) for index in range(4)]
    if any(kind == _PROTECTIVE for _, kind, _, _ in entries):
        return tuple(_of_gpt(disk))
    found = [
        Partition(number, start * 512, length * 512)
        for number, (_, kind, start, length) in enumerate(entries, 1)
        if kind != _EMPTY and kind not in _EXTENDED
    ]
    for _, kind, start, _ in entries:
        if kind in _EXTENDED:
            found += _logical(disk, start)
    return tuple(found)


def _logical(disk: _Readable, extended: int) -> Iterator[Partition]:
    """Follow the chain of tables in an extended partition; a chain that bites its tail ends, too."""
    table = extended
    for number in range(5, 5 + _MOST_LOGICAL):
        sector = disk.read(table * 512, 512)
        if len(sector) < 512 or sector[510:] != b"\x55\xaa":
            return
        _, kind, start, length = _MBR.unpack_from(sector, 446)
        if kind != _EMPTY:
            yield Partition(number, (table + start) * 512, length * 512)
        _, kind, following, _ = _MBR.unpack_from(sector, 462)
        if kind not in _EXTENDED:
            return
        table = extended + following


def _of_gpt(disk: _Readable) -> Iterator[Partition]:
    for sector in _SECTORS:
        header = disk.read(sector, 512)
        if header.startswith(b"EFI PART"):
            break
    else:
        return
    _, table, count, size = _GPT_HEADER.unpack_from(header)
    for index in range(min(count, 1024) if size >= _GPT_ENTRY.size else 0):
        entry = disk.read(table * sector + index * size, _GPT_ENTRY.size)
        if len(entry) < _GPT_ENTRY.size:
            return
        kind, _, start, end, name = _GPT_ENTRY.unpack(entry)
        if any(kind):
            text = str(bytes(name), "utf-16-le", "replace").rstrip("\0")
            yield Partition(index + 1, start * sector, (end + 1 - start) * sector, text)


class Window(Storage):
    """A partition as a medium of its own."""

    def __init__(self, disk: Storage, partition: Partition) -> None:
        """Take the whole medium and what is seen of it."""
        self._disk = disk
        self._start = partition.start
        self._length = partition.length

    def size(self) -> Size:
        """Return how many bytes the partition has."""
        return Size(self._length)

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset` of the partition; raise LabError when it does not fit."""
        if offset + len(data) > self._length:
            raise LabError(
                f"the partition holds {self._length} bytes: cannot write {len(data)} bytes at {offset}"
            )
        self._disk.write(self._start + offset, data)

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset` of the partition."""
        return self._disk.read(self._start + offset, max(0, min(length, self._length - offset)))

    def flush(self) -> None:
        """Return when the medium has everything."""
        self._disk.flush()

    def forget(self) -> None:
        """Drop what the host remembers of the medium."""
        self._disk.forget()
