"""An image file as blocks of what is to stand on the medium."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.api import Checksum, Context, RecipeFault
from runner.modules.storage.bmap import BlockMap, read_bmap
from runner.modules.storage.packing import BLOCK, Compression, Damaged, packing_of, refuse_zstd, unpacked

_LONGEST_LIST = 2**20
"""Characters of a list of checksums that are read."""


class ImageSource:
    """An image on this host, packed or not; its content may be read several times."""

    def __init__(self, path: str, compression: Compression, bmap: str | None = None) -> None:
        """Look at the file; raise RecipeFault when it is not as is said, Unsupported without tools for it."""
        self.path = Path(path)
        with self._readable(), self.path.open("rb") as file:
            found = packing_of(file.read(8))
            self.file_size = self.path.stat().st_size
        if compression not in {"auto", "none", found}:
            raise RecipeFault(
                f"{self.path.name} is not packed with {compression}: its first bytes are those of "
                f"{'something else' if found == 'none' else found}",
                evidence={"expected": compression, "actual": found},
                hint="'compression: auto' looks at them. Nothing was written",
            )
        self.compression: Compression = found if compression == "auto" else compression
        self.sha256 = ""
        """Of all that is to be written, where that is known: of an image that is not packed, once checked."""
        self.bmap: BlockMap | None = None
        if bmap is not None:
            with self._readable():
                self.bmap = read_bmap(Path(bmap).read_bytes())
        if self.compression == "zstd":
            refuse_zstd()

    @property
    def length(self) -> int | None:
        """How many bytes the content has; None when only unpacking can tell."""
        if self.bmap is not None:
            return self.bmap.size
        return self.file_size if self.compression == "none" else None

    @property
    def amount(self) -> int | None:
        """How many bytes are to be written; None when only unpacking can tell."""
        return self.bmap.mapped if self.bmap is not None else self.length

    def check(self, sha256: Checksum, context: Context) -> None:
        """Raise RecipeFault unless the file has this checksum.

        Of a file with many checksums, the line with its name counts.
        """
        wanted = self._wanted(sha256)
        digest, done = hashlib.sha256(), 0
        with self._readable(), self.path.open("rb") as file:
            while block := file.read(BLOCK):
                context.check_cancelled()
                digest.update(block)
                done += len(block)
                context.progress(done, self.file_size)
        if digest.hexdigest() != wanted:
            raise RecipeFault(
                f"{self.path.name} has the SHA-256 {digest.hexdigest()[:12]}…, expected {wanted[:12]}…",
                evidence={"expected": wanted, "actual": digest.hexdigest(), "path": str(self.path)},
                hint="is it the right file, and was it copied to its end? Nothing was written",
            )
        if self.compression == "none" and self.bmap is None:
            self.sha256 = wanted

    def pieces(self) -> Generator[tuple[int, bytes], None, None]:
        """Return the content in pieces of up to 4 MiB with their places, without what a bmap leaves out.

        Raise RecipeFault when it is damaged.
        """
        with self._readable(), self.path.open("rb", buffering=0) as file:
            blocks = unpacked(file, self.compression)
            if self.bmap is not None:
                yield from self.bmap.pieces(blocks)
                return
            place = 0
            for block in blocks:
                yield place, block
                place += len(block)

    def _wanted(self, sha256: Checksum) -> str:
        if sha256.digits or not sha256.startswith("/"):
            return self._digits(sha256, [sha256])
        with self._readable(), Path(sha256).open(encoding="utf-8", errors="replace") as file:
            lines = [line for line in file.read(_LONGEST_LIST).splitlines() if line.strip()]
        named = [line for line in lines if Path(line.split()[-1].lstrip("*")).name == self.path.name]
        return self._digits(sha256, named if len(lines) > 1 else lines)

    def _digits(self, sha256: Checksum, lines: list[str]) -> str:
        digits = Checksum(lines[0]).digits if lines else ""
        if not digits:
            raise RecipeFault(
                f"{sha256.strip()!r} is no SHA-256 checksum of {self.path.name}",
                hint="write its 64 hexadecimal digits, or name a file or URL that sha256sum has made",
            )
        return digits

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise RecipeFault(f"no image {str(self.path)!r} on the bench's host") from error
        except Damaged as error:
            raise RecipeFault(
                f"{self.path.name} is damaged: {error}",
                evidence={"path": str(self.path), "compression": self.compression},
            ) from error
        except OSError as error:
            raise RecipeFault(
                f"cannot read the image {str(self.path)!r}: {error.strerror or error}"
            ) from error
