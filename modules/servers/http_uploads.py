"""What boards put to an HTTP server: a folder of the run, and bodies of either kind."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import IO, Union

_READ = 256 * 1024
_LONGEST_LINE = 1024


Body = Union[IO[bytes], io.BufferedIOBase]


class BadBody(Exception):
    """The body does not end as it was announced."""


class TooLarge(Exception):
    """It has more bytes than the server takes."""


class Uploads:
    """A folder that goes with the server; its files are served, too."""

    def __init__(self) -> None:
        """Make the folder."""
        self._folder = Path(tempfile.mkdtemp(prefix="runner-uploads-"))

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def find(self, name: str) -> Path | None:
        """Return the file that was put under this name."""
        path = self._folder / name
        return path if path.is_file() else None

    def put(self, name: str, body: Body, length: int | None, limit: int) -> tuple[Path, int, bool]:
        """Keep a body; return the file, its size, and whether there was none of that name before.

        `length`: as announced; None when it comes in chunks. It has its name only when it is whole.
        """
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            part = Path(file.name)
            try:
                size = _copy(body, file, length, limit) if length is not None else _chunks(body, file, limit)
            except BaseException:
                part.unlink()
                raise
        new = not path.exists()
        part.replace(path)
        return path, size, new


def _copy(body: Body, file: IO[bytes], length: int, limit: int) -> int:
    if length > limit:
        raise TooLarge(f"{length} bytes, and {limit} are allowed")
    left = length
    while left and (block := body.read(min(left, _READ))):
        file.write(block)
        left -= len(block)
    if left:
        raise BadBody(f"{length - left} of {length} bytes came")
    return length


def _chunks(body: Body, file: IO[bytes], limit: int) -> int:
    """Read a body in chunks (RFC 9112, 7.1); trailers are passed over."""
    total = 0
    while size := _chunk_size(body):
        total += size
        if total > limit:
            raise TooLarge(f"more than {limit} bytes")
        _copy(body, file, size, limit)
        if body.readline(_LONGEST_LINE).strip():
            raise BadBody("a chunk does not end where it should")
    while body.readline(_LONGEST_LINE).strip():
        pass
    return total


def _chunk_size(body: Body) -> int:
    line = body.readline(_LONGEST_LINE).partition(b";")[0].strip()
    try:
        return int(line, 16)
    except ValueError as error:
        raise BadBody(f"{line!r} is no size of a chunk") from error
