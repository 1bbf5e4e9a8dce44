"""Packed images: how they are recognised, and what is in them."""

from __future__ import annotations

import bz2
import importlib
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from types import MappingProxyType
from typing import Any, Literal, Protocol

from runner.api import Unsupported
from runner.api.process import end, popen

Compression = Literal["auto", "none", "gzip", "xz", "bz2", "zstd"]

BLOCK = 4 * 1024 * 1024
_READ = 256 * 1024
_MAGIC: Mapping[bytes, Compression] = MappingProxyType(
    {
        b"\x1f\x8b\x08": "gzip",  # RFC 1952, 2.3.1
        b"\xfd7zXZ\x00": "xz",  # The .xz File Format, 2.1.1.1
        b"BZh": "bz2",
        b"\x28\xb5\x2f\xfd": "zstd",  # RFC 8878, 3.1.1
    }
)


class Damaged(Exception):
    """A packed image that cannot be unpacked to its end."""


def packing_of(start: bytes) -> Compression:
    """Return how a file is packed that begins with these bytes.

    >>> packing_of(b"BZh91AY&SY"), packing_of(b"Linux")
    ('bz2', 'none')
    """
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "none")


def unpacked(file: FileIO, compression: Compression) -> Generator[bytes, None, None]:
    """Return the content of a file in blocks of 4 MiB; raise Damaged when it is not whole."""
    if compression == "none":
        yield from _blocks(file)
    elif compression == "zstd":
        yield from _zstd(file)
    else:
        with _translated(lzma.LZMAError, zlib.error, OSError, EOFError):
            yield from _decoded(file, _DECODERS[compression])


def refuse_zstd() -> None:
    """Raise Unsupported when nothing on this host can unpack zstd."""
    if _zstd_library() is None and shutil.which("zstd") is None:
        raise Unsupported(
            "zstd images need the program 'zstd' on the bench's host, and it is not there",
            hint="apt install zstd there, or pack the image with xz",
        )


class _Decoder(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the manners of the others."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)


_DECODERS: Mapping[str, Callable[[], _Decoder]] = MappingProxyType(
    {"gzip": _Gzip, "xz": lzma.LZMADecompressor, "bz2": bz2.BZ2Decompressor}
)


def _blocks(file: FileIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _decoded(file: FileIO, make: Callable[[], _Decoder]) -> Iterator[bytes]:
    """Decode stream after stream, as ``cat one.xz two.xz`` makes them; zeros after one are padding."""
    data = file.read(_READ)
    while data:
        decoder, pieces, room = make(), list[bytes](), BLOCK
        while not decoder.eof:
            if decoder.needs_input and not data and not (data := file.read(_READ)):
                raise EOFError("it ends too early")
            piece = decoder.decompress(data, room)
            data, room = b"", room - len(piece)
            pieces.append(piece)
            if not room:
                yield b"".join(pieces)
                pieces, room = [], BLOCK
        if room < BLOCK:
            yield b"".join(pieces)
        data = decoder.unused_data.lstrip(b"\0")
        while not data and (more := file.read(_READ)):
            data = more.lstrip(b"\0")


def _zstd(file: FileIO) -> Iterator[bytes]:
    library = _zstd_library()
    if library is None:
        yield from _zstd_program(file)
        return
    with _translated(library.ZstdError, EOFError), library.open(file, "rb") as content:
        yield from _blocks(content)


def _zstd_library() -> Any:
    """Return the standard library's module, which is there from Python 3.14 on.

    That of PyPI, zstandard, says nothing of a file that ends too early.
    """
    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        return None


def _zstd_program(file: FileIO) -> Iterator[bytes]:
    refuse_zstd()
    with tempfile.TemporaryFile() as errors:
        process = popen(["zstd", "-dcq"], stdin=file, stderr=errors)
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            with process.stdout:
                yield from _full(process.stdout)
            if process.wait():
                errors.seek(0)
                said = errors.read(500).decode(errors="replace").strip()
                raise Damaged(said.rpartition(": ")[2] or f"zstd ended with {process.returncode}")
        finally:
            end(process)


def _full(pipe: Any) -> Iterator[bytes]:
    while block := pipe.read(BLOCK):
        yield block


@contextmanager
def _translated(*kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        raise Damaged(str(error)) from error
