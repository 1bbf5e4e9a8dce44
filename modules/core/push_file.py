"""Put a file onto the bench's host."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from runner.api import Context, Duration, FilePath, LabError, Module, RecipeFault, Result, arg

_BLOCK = 2**20


class Pushed(Result):
    """What is on the host now."""

    path: str
    size: int
    """In bytes."""
    sha256: str
    changed: bool
    """False when the file was there already, with this content and mode."""
    elapsed: Duration


class PushFile(Module):
    """Put a file of the machine that runs `runner`, or of a URL, onto the bench's host.

    It gets its name there when it is whole, on the disk, and read back with the right checksum.
    Parts of it that the host has from before are not sent again. A bench of this machine gets a copy.

    Example::

        - push_file: {file: images/nightly.img, to: /srv/tftp/nightly.img}
        - push_file: {file: images/sensor.conf, to: /etc/lab/, mode: "600", parents: true}
        - push_file: {file: "https://images.lab/boot.bin", to: boot.bin, exists: refuse}
    """

    unconfined = True

    file: FilePath = arg(help="the file, or its URL")
    to: str = arg(help="its path there; a folder, or one that ends with /, gets it under its own name")
    mode: str = arg(default="", help='its permissions, as in "755"; as files are made there when left out')
    exists: Literal["replace", "refuse"] = arg(default="replace", help="what to do when there is one already")
    parents: bool = arg(default=False, help="make folders that are missing")
    sha256: str = arg(default="", help="the checksum that the file has to have")

    def run(self, context: Context) -> Pushed:
        """Copy it beside its place, compare it, and give it its name."""
        started = time.monotonic()
        mode = octal(self.mode)
        source, target = Path(self.file), self._target()
        size, found = source.stat().st_size, digest_of(source, context)
        if self.sha256 and self.sha256.lower() != found:
            raise RecipeFault(
                f"{source.name} has the SHA-256 {found[:12]}…, expected {self.sha256[:12]}…",
                evidence={"expected": self.sha256, "actual": found},
                hint="is it the right file? Nothing was written",
            )
        changed = not self._is_there(target, size, found, mode, context)
        if changed:
            self._refuse(target)
            with _translated(target):
                self._write(source, target, found, mode, context)
        elapsed = Duration(time.monotonic() - started)
        return Pushed(path=str(target), size=size, sha256=found, changed=changed, elapsed=elapsed)

    def _target(self) -> Path:
        target = Path(self.to).expanduser()
        named = target / Path(self.file).name if self.to.endswith("/") or target.is_dir() else target
        return named.absolute()

    def _is_there(self, target: Path, size: int, sha256: str, mode: int | None, context: Context) -> bool:
        try:
            there = target.stat()
        except OSError:
            return False
        same_mode = mode is None or there.st_mode & 0o7777 == mode
        return there.st_size == size and same_mode and digest_of(target, context) == sha256

    def _refuse(self, target: Path) -> None:
        if self.exists == "refuse" and target.exists():
            raise RecipeFault(
                f"{target} is on the bench's host already, with another content or mode",
                hint="'exists: replace' writes over it",
            )

    def _write(self, source: Path, target: Path, sha256: str, mode: int | None, context: Context) -> None:
        if self.parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
        try:
            with source.open("rb") as content, part.open("xb") as file:
                _copy(content, file, context)
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            arrived = digest_of(part, context)
            if arrived != sha256:
                raise LabError(
                    f"the disk of the bench's host does not keep what is written: {target} has the SHA-256 "
                    f"{arrived[:12]}…, expected {sha256[:12]}…",
                    evidence={"expected": sha256, "actual": arrived},
                )
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def octal(mode: str) -> int | None:
    """Read permissions; None for none. Raise RecipeFault for anything but octal digits.

    >>> octal("755"), octal("")
    (493, None)
    """
    if mode.strip("01234567") or len(mode) > 5:
        raise RecipeFault(f'{mode!r} is no mode: write octal digits, as in "755"')
    return int(mode, 8) if mode else None


def digest_of(path: Path, context: Context) -> str:
    """Return the SHA-256 of a file; raise RecipeFault when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                context.check_cancelled()
                digest.update(block)
    except OSError as error:
        raise RecipeFault(f"cannot read {str(path)!r} on the bench's host: {error.strerror}") from error
    return digest.hexdigest()


def _copy(content: BinaryIO, file: BinaryIO, context: Context) -> None:
    """Copy all of it; blocks of zeros become holes."""
    size, done = os.fstat(content.fileno()).st_size, 0
    while block := content.read(_BLOCK):
        context.check_cancelled()
        if block.count(0) == len(block):
            file.seek(len(block), os.SEEK_CUR)
        else:
            file.write(block)
        done += len(block)
        context.progress(done, size)
    file.truncate(done)


@contextmanager
def _translated(target: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise RecipeFault(
            f"no folder {str(target.parent)!r} on the bench's host", hint="'parents: true' makes it"
        ) from error
    except OSError as error:
        free = os.statvfs(target.parent)
        raise LabError(
            f"cannot write {str(target)!r} on the bench's host: {error.strerror}",
            evidence={"free": free.f_bavail * free.f_frsize, "folder": str(target.parent)},
        ) from error
