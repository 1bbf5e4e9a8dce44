"""A flasher bundle on this host: a manifest, alone or in a tar archive with its files."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from runner.api import LabError, RecipeFault
from runner.modules.flasher.manifest import Manifest, read_manifest

MANIFEST = "manifest.yaml"


class Bundle:
    """An open bundle; `file` gives the path of what it holds, unpacked when it is asked for."""

    def __init__(self, path: Path, name: str, folder: Path, archive: tarfile.TarFile | None) -> None:
        """Read the manifest `name` of an archive, or the file at `path` itself; unpack into `folder`."""
        self._path = path
        self._folder = folder
        self._archive = archive
        self.manifest: Manifest
        if archive is not None:
            shown = f"{self._path.name}: {name}"
            self.manifest = read_manifest(_parsed(self._read(name), shown), shown)
        else:
            content = _content(self._path)
            self.manifest = read_manifest(_parsed(content, self._path.name), self._path.name)

    def names(self) -> list[str]:
        """Return the files of the archive; none for a manifest alone."""
        return [_plain(each.name) for each in self._archive if each.isfile()] if self._archive else []

    def file(self, name: str) -> Path:
        """Return the path of a file; raise RecipeFault when the bundle does not have it."""
        if self._archive is None:
            raise RecipeFault(
                f"{self._path.name} is a manifest alone, without {name!r}",
                hint="give the file to the step, or a bundle with its files (bundle_pull)",
            )
        path = self._folder / PurePosixPath(name).name
        if not path.exists():
            with self._translated(), path.open("wb") as file:
                shutil.copyfileobj(self._member(name), file, 2**20)
        return path

    def _read(self, name: str) -> bytes:
        with self._translated():
            return self._member(name).read()

    def _member(self, name: str) -> io.BufferedReader:
        """Find a file by its name, however the archive writes it."""
        if self._archive is None:
            raise AssertionError("only an archive has members")
        for member in self._archive:
            if _plain(member.name) == _plain(name) and member.isfile():
                found = self._archive.extractfile(member)
                if isinstance(found, io.BufferedReader):
                    return found
        raise RecipeFault(f"the bundle {self._path.name} has no file {name!r}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, EOFError) as error:
            raise RecipeFault(f"the bundle {self._path.name} is damaged: {error}") from error
        except OSError as error:
            raise LabError(f"cannot unpack {self._path.name}: {error.strerror or error}") from error


@contextmanager
def opened(path: str, name: str = MANIFEST) -> Iterator[Bundle]:
    """Open a bundle; what is unpacked of it is gone afterwards."""
    file = Path(path)
    with tempfile.TemporaryDirectory(prefix="runner-bundle-") as folder:
        if not _is_archive(file):
            yield Bundle(file, name, Path(folder), None)
            return
        with tarfile.open(file) as archive:
            yield Bundle(file, name, Path(folder), archive)


def _is_archive(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except OSError as error:
        raise RecipeFault(f"cannot read the bundle {str(path)!r}: {error.strerror}") from error


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(2**20)


def _parsed(content: bytes, shown: str) -> object:
    import yaml

    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeFault(f"{shown} is neither a manifest in YAML nor a tar archive: {error}") from error


def _plain(name: str) -> str:
    return str(PurePosixPath(name.lstrip("./")))
