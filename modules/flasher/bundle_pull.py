"""Get a flasher bundle, as one archive."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import Context, FilePath, Keep, Misfit, Module, RecipeFault, Result, Secret, TargetPath, arg
from runner.api.oci import Login, pull
from runner.modules.flasher.bundle import MANIFEST, opened


class Pulled(Result):
    """The archive."""

    path: str
    sha256: str
    changed: bool
    """False when it was there already, with this content."""
    files: list[str]
    digest: str
    """Of the manifest in the registry; empty for a folder."""


class BundlePull(Module):
    """Make one archive of a flasher bundle: of a folder, or of an artifact in an OCI registry.

    The same files make the same archive, byte by byte, so that hosts which have it do not get it again.

    Example::

        - bundle_pull: {folder: bundles/board, dest: out/board.tar}
          register: bundle
        - flash_network: {image: build/nightly.img, bundle: "{{ bundle.path }}"}
        - bundle_pull: {ref: "quay.io/lab/flasher-board:2.1", dest: out/board.tar}
    """

    runs_on = "controller"

    folder: str = arg(default="", primary=True, help="a folder with a manifest and its files")
    ref: str = arg(default="", help="or registry/name:tag, or registry/name@sha256:…")
    dest: TargetPath = arg(help="the archive to write")
    manifest: str = arg(default=MANIFEST, help="the manifest that must be in it")
    user: str = arg(default="", help="who pulls")
    password: Secret | None = arg(default=None, secret=True, help="the password or token")
    ca_cert: FilePath | None = arg(default=None, help="the authority of the registry's certificate, in PEM")
    plain_http: bool = arg(default=False, help="speak http with the registry")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that there are none, or two places."""
        if {"folder", "ref"} <= given.keys() and bool(given["folder"]) == bool(given["ref"]):
            yield Misfit("folder", "it needs 'folder' or 'ref', and not both")

    def run(self, context: Context) -> Pulled:
        """Collect the files, pack them, and keep the archive."""

        def advance(done: int, total: int | None) -> None:
            context.check_cancelled()
            context.progress(done, total)

        with tempfile.TemporaryDirectory(prefix="runner-pull-") as temporary:
            folder, digest = Path(self.folder), ""
            if self.ref:
                folder = Path(temporary) / "files"
                login = Login(self.user, self.password or "") if self.user else None
                digest = pull(self.ref, folder, login, self.ca_cert, self.plain_http, advance)
            archive = Path(temporary) / "bundle.tar"
            files = packed(folder, archive)
            with opened(str(archive), self.manifest) as bundle:
                context.log(f"bundle {bundle.manifest.name or folder.name}: {', '.join(files)}")
            return self._kept(archive, files, digest, context)

    def _kept(self, archive: Path, files: list[str], digest: str, context: Context) -> Pulled:
        sha256 = _sha256(archive)
        there = Path(self.dest)
        changed = not there.is_file() or _sha256(there) != sha256
        if changed:
            context.artifact(there.name, archive, Keep(to=self.dest, parents=True))
        return Pulled(path=str(self.dest), sha256=sha256, changed=changed, files=files, digest=digest)


def packed(folder: Path, archive: Path) -> list[str]:
    """Pack the files of a folder, without times and owners; return their names."""
    files = sorted(_files(folder))
    if not files:
        raise RecipeFault(f"no files in {str(folder)!r}")
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as packing:
        for file in files:
            packing.add(file, str(file.relative_to(folder)), filter=_plain)
    return [str(file.relative_to(folder)) for file in files]


def _files(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        raise RecipeFault(f"no folder {str(folder)!r}")
    return (each for each in folder.rglob("*") if each.is_file())


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
