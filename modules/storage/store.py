"""A store of files as a device of a bench: a folder, a bucket, a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from runner.api import Driver, Duration, Entry, FileStore, Misfit, Needs, Presigned, RecipeFault, Secret, arg
from runner.modules.storage.folder_store import FolderStore
from runner.modules.storage.opendal_store import OpendalStore


class Store(Driver, FileStore):
    """A store of files: a folder (`fs`), or any service of OpenDAL (`s3`, `webdav`, `http`, `ftp`, `gcs` …).

    It is used from the machine that the bench's instruments are plugged into; a bench without a `host`
    uses it from the machine that runs runner, and a step of another bench gets there with `bench:`.
    `fs` needs nothing; the others need the package `opendal` on that machine.

    Example::

        devices:
          images: {driver: store, scheme: fs, options: {root: /srv/images}}
          bucket:
            driver: store
            scheme: s3
            options: {bucket: nightly, region: eu-west-1, endpoint: "https://s3.lab"}
            secrets: {access_key_id: !env S3_KEY, secret_access_key: !env S3_SECRET}
    """

    private = True

    scheme: str = arg(primary=True, help="the service, as OpenDAL names it")
    options: dict[str, str] = arg(
        default={}, help="its options, as OpenDAL names them (root, endpoint, bucket …)"
    )
    secrets: dict[str, Secret] = arg(default={}, secret=True, help="those of its options that nobody may see")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which options a folder does not have."""
        if given.get("scheme") != "fs" or "options" not in given:
            return
        for name in given["options"]:
            if name != "root":
                yield Misfit(f"options.{name}", f"the store 'fs' has no option {name!r}, only 'root'")
        if "root" not in given["options"]:
            yield Misfit("options", "the store 'fs' needs the option 'root': the folder")

    def needs(self) -> Needs:
        """Return the folder or the server, and OpenDAL where it is needed."""
        if self.scheme == "fs":
            return Needs(nodes=(self.options.get("root", "/"),))
        where = self.options.get("endpoint", "")
        return Needs(nodes=(where,) if where else (), libraries={"opendal": "pip install opendal"})

    def open(self) -> None:
        """Connect."""
        self._forgotten: list[str] = []
        self._store: FileStore
        if self.scheme != "fs":
            self._store = OpendalStore(self.scheme, {**self.options, **self.secrets})
            return
        self._store = FolderStore(self.options["root"])

    def close(self) -> None:
        """Remove what is to be forgotten, the last first."""
        for path in reversed(self._forgotten):
            self._store.remove(path, recurse=True)

    def stat(self, path: str) -> Entry | None:
        """Say what there is."""
        plain = _plain(path)
        return self._store.stat(f"{plain}/" if plain and path.endswith("/") else plain)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give the content in pieces."""
        return self._store.read(_plain(path), offset, length)

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Make a file of pieces, or replace it."""
        self._store.write(_plain(path), pieces)

    def copy(self, source: str, target: str) -> None:
        """Make a file that is the same."""
        self._store.copy(_plain(source), _plain(target))

    def rename(self, source: str, target: str) -> None:
        """Give a file another path."""
        self._store.rename(_plain(source), _plain(target))

    def remove(self, path: str, *, recurse: bool) -> None:
        """Remove it."""
        self._store.remove(_plain(path), recurse=recurse)

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        self._store.make_folder(_plain(path))

    def entries(self, path: str, *, recurse: bool) -> Iterator[Entry]:
        """Give what is in a folder."""
        return self._store.entries(_plain(path), recurse=recurse)

    def presign(self, path: str, operation: Literal["read", "write", "stat"], expires: Duration) -> Presigned:
        """Make a request that works without credentials."""
        return self._store.presign(_plain(path), operation, expires)

    def set_mode(self, path: str, mode: int) -> None:
        """Set the permissions of a file."""
        self._store.set_mode(_plain(path), mode)

    def info(self) -> Mapping[str, object]:
        """Say what it can do."""
        return self._store.info()

    def label(self) -> str:
        """Return what to call it."""
        return self._store.label()

    def forget(self, path: str) -> None:
        """Remove this at the end of the run."""
        self._forgotten.append(_plain(path))


def _plain(path: str) -> str:
    """Return a path from the root on; raise RecipeFault for one that leads out.

    >>> _plain("/a//b/./c"), _plain("a/"), _plain("/")
    ('a/b/c', 'a', '')
    """
    parts = [each for each in path.split("/") if each not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise RecipeFault(f"{path!r} leads out of the store")
    return "/".join(parts)
