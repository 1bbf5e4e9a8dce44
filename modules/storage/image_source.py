"""An image file as blocks of what is to stand on the medium."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import importlib
import lzma
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Literal, cast

from runner.api import Context, RecipeFault, Unsupported

Compression = Literal["auto", "none", "gzip", "xz", "bz2", "zstd"]

BLOCK = 4 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MAGIC: Mapping[bytes, Compression] = MappingProxyType(
    {
        b"\x1f\x8b": "gzip",  # RFC 1952, 2.3.1
        b"\xfd7zXZ\x00": "xz",  # The .xz File Format, 2.1.1.1
        b"BZh": "bz2",
        b"\x28\xb5\x2f\xfd": "zstd",  # RFC 8878, 3.1.1
    }
)


class ImageSource:
    """An image on this host, compressed or not; its content may be read several times."""

    def __init__(self, path: str, compression: Compression) -> None:
        """Look at the file; raise RecipeFault when it is not there, Unsupported without its library."""
        self.path = Path(path)
        self.compression: Compression = compression
        with self._readable(), self.path.open("rb") as file:
            start = file.read(8)
            self._file_size = self.path.stat().st_size
        found = [kind for magic, kind in _MAGIC.items() if start.startswith(magic)]
        if compression == "auto":
            self.compression = found[0] if found else "none"
        if self.compression == "zstd":
            _zstandard()

    @property
    def length(self) -> int | None:
        """How many bytes the content has; None when only unpacking can tell."""
        return self._file_size if self.compression == "none" else None

    def check(self, sha256: str, context: Context) -> None:
        """Raise RecipeFault unless the file has this checksum, or that of a line of ``sha256sum``."""
        wanted = (sha256.split() or [""])[0].lower()
        if not _SHA256.fullmatch(wanted):
            raise RecipeFault(
                f"{sha256.strip()!r} is no SHA-256 checksum", hint="write its 64 hexadecimal digits"
            )
        digest = hashlib.sha256()
        with self._readable(), self.path.open("rb") as file:
            for block in _pieces(file, context):
                digest.update(block)
        if digest.hexdigest() != wanted:
            raise RecipeFault(
                f"{self.path.name} has the SHA-256 {digest.hexdigest()[:12]}…, expected {wanted[:12]}…",
                evidence={"expected": wanted, "actual": digest.hexdigest(), "path": str(self.path)},
                hint="is it the right file, and was it copied to its end? Nothing was written",
            )

    def blocks(self, context: Context) -> Iterator[bytes]:
        """Give the content in blocks of 4 MiB; raise RecipeFault when it is damaged."""
        with self._readable(), self._opened() as content:
            yield from _pieces(content, context)

    def _opened(self) -> BinaryIO:
        if self.compression == "gzip":
            return cast("BinaryIO", gzip.open(self.path))
        if self.compression == "xz":
            return cast("BinaryIO", lzma.open(self.path))
        if self.compression == "bz2":
            return cast("BinaryIO", bz2.open(self.path))
        if self.compression == "zstd":
            return cast("BinaryIO", _zstandard().open(self.path))
        return self.path.open("rb")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise RecipeFault(f"no image {str(self.path)!r} on the bench's host") from error
        except self._signs_of_damage() as error:
            raise RecipeFault(
                f"{self.path.name} is damaged: {error}",
                evidence={"path": str(self.path), "compression": self.compression},
            ) from error
        except OSError as error:
            raise RecipeFault(
                f"cannot read the image {str(self.path)!r}: {error.strerror or error}"
            ) from error

    def _signs_of_damage(self) -> tuple[type[Exception], ...]:
        known = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)
        return (*known, _zstandard().ZstdError) if self.compression == "zstd" else known


def _zstandard() -> Any:
    """Return the library; the standard one has zstd only from Python 3.14 on."""
    try:
        return importlib.import_module("zstandard")
    except ImportError as error:
        raise Unsupported(
            "zstd images need the Python package 'zstandard' on the bench's host",
            hint="install it there, or compress the image with xz or gzip",
        ) from error


def _pieces(content: BinaryIO, context: Context) -> Iterator[bytes]:
    while block := content.read(BLOCK):
        context.check_cancelled()
        yield block
