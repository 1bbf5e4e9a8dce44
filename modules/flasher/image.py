"""The image that is to be written: packed or not, how long its content is, and its checksums."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import importlib
import lzma
import zlib
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

from runner.api import Context, RecipeFault, Unsupported

Compression = Literal["auto", "none", "gzip", "xz", "bz2", "zstd"]

UNPACKED_BY = {"gzip": "zcat", "xz": "xzcat", "bz2": "bzcat", "zstd": "zstdcat"}
"""The program on the board for each."""
_MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
"""RFC 1952, 2.3.1; The .xz File Format, 2.1.1.1; bzip2; RFC 8878, 3.1.1."""
_READ = 2**20


class Image(NamedTuple):
    """What is known of an image before anything is written."""

    path: Path
    compression: str
    sha256: str
    """Of the file, as it is."""
    content_size: int
    content_sha256: str
    """Of what is to stand on the medium."""


def examined(path: str, compression: Compression, sha256: str, context: Context) -> Image:
    """Read an image to its end; raise RecipeFault when it is damaged or not the one that was asked for."""
    file = Path(path)
    try:
        kind = _kind(file) if compression == "auto" else compression
        digest = _digest(file.open("rb"), context)[1]
        wanted = (sha256.split() or [""])[0].lower()
        if wanted and digest != wanted:
            raise RecipeFault(
                f"{file.name} has the SHA-256 {digest[:12]}…, expected {wanted[:12]}…: nothing was touched",
                evidence={"expected": wanted, "actual": digest},
            )
        size, content = _digest(_unpacked(file, kind), context)
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise RecipeFault(f"{file.name} is damaged: {error}") from error
    except OSError as error:
        raise RecipeFault(f"cannot read the image {path!r}: {error.strerror or error}") from error
    return Image(file, kind, digest, size, content)


def kind_by_name(name: str) -> str:
    """Return how a file is packed, going by its name.

    >>> kind_by_name("disk.img.xz"), kind_by_name("disk.img")
    ('xz', 'none')
    """
    endings = {".gz": "gzip", ".gzip": "gzip", ".xz": "xz", ".bz2": "bz2", ".zst": "zstd"}
    return next((kind for ending, kind in endings.items() if name.endswith(ending)), "none")


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "none")


def _unpacked(path: Path, kind: str) -> IO[bytes]:
    if kind == "gzip":
        return cast("IO[bytes]", gzip.open(path))
    if kind == "xz":
        return lzma.open(path)
    if kind == "bz2":
        return bz2.open(path)
    if kind == "zstd":
        return cast("IO[bytes]", _zstandard().open(path))
    return path.open("rb")


def _zstandard() -> Any:
    try:
        return importlib.import_module("zstandard")
    except ImportError as error:
        raise Unsupported(
            "zstd images need the Python package 'zstandard' on the bench's host",
            hint="install it there, or compress the image with xz or gzip",
        ) from error


def _digest(content: IO[bytes], context: Context) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with content:
        while block := content.read(_READ):
            context.check_cancelled()
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()
