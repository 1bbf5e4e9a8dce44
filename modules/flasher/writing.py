"""Downloading an image on the board and writing it, with no failure lost on the way, and reading it back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from runner.api import Context, Duration, Failed, RecipeFault, Unsupported
from runner.modules.flasher.board_shell import FOLDER, BoardShell, Target
from runner.modules.flasher.image import UNPACKED_BY

_POSITION = re.compile(r"^pos:\s*(\d+)", re.MULTILINE)
_REFUSED = re.compile(r"\b(?:401|403|404|410)\b")
"""What a server says again when it is asked again (RFC 9110, 15.5)."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_MEBI = 2**20


class Download(NamedTuple):
    """Where the image comes from, as the board sees it, and what is known of it."""

    url: str
    compression: str
    headers: Mapping[str, str]
    ca_cert: str
    """A file on the board; empty for none."""
    insecure: bool
    sha256: str
    """Of the file as it is; empty when it is not to be compared on the board."""
    size: int | None
    """Of the content."""
    content_sha256: str


class Written(NamedTuple):
    """What stands on the medium."""

    size: int
    sha256: str


class Writer:
    """Writes to one target."""

    def __init__(self, shell: BoardShell, context: Context, limit: Duration) -> None:
        """Take the shell; `limit` is for each of writing, flushing and reading back."""
        self._shell = shell
        self._context = context
        self._limit = limit

    def write(self, download: Download, target: Target) -> Written:
        """Write it all, and flush; raise Failed that says which end of the pipe broke."""
        if download.size is not None and download.size > target.size:
            raise RecipeFault(
                f"the image has {download.size} bytes, {target.path} {target.size}: nothing was written",
                evidence={"length": download.size, "size": target.size},
            )
        self._shell.run(f"rm -rf {FOLDER}; mkdir -p {FOLDER}")
        self._shell.job(self._script(download, target), 1, download.size, self._limit)
        self._judge(download)
        return self._counted(download)

    def read_back(self, target: Target, written: Written) -> None:
        """Compare what the medium has with what was written; raise Failed when it differs."""
        self._shell.run(
            f"sync; echo 3 >/proc/sys/vm/drop_caches; blockdev --flushbufs {target.path} 2>/dev/null || :",
            self._limit,
        )
        blocks = -(-written.size // _MEBI)
        script = (
            f"dd if={target.path} bs=1M count={blocks} 2>{FOLDER}/read | head -c {written.size} "
            f"| sha256sum >{FOLDER}/back"
        )
        self._shell.job(script, 0, written.size, self._limit)
        found = _DIGEST.search(self._shell.run(f"cat {FOLDER}/back"))
        if found is None or found[0] != written.sha256:
            actual = found[0] if found else "nothing"
            raise Failed(
                f"{target.path} does not keep what was written: its first {written.size} bytes have the "
                f"SHA-256 {actual[:12]}…, expected {written.sha256[:12]}…",
                evidence={"expected": written.sha256, "actual": actual, "device": target.path},
            )

    def _script(self, download: Download, target: Target) -> str:
        """Return the pipe. Each end that fails writes a line into ``failed``: the first is the cause.

        The end of a pipe is open until its group has ended, so that no neighbour fails before that line
        is written.
        """
        ends = {
            "download": self._fetching(download),
            "unpack": self._unpacking(download.compression),
            "write": "dd bs=64k >&3",
        }
        groups = {
            name: f"{{ {command} 2>{FOLDER}/{name} || echo {name} $? >>{FOLDER}/failed; }}"
            for name, command in ends.items()
            if command
        }
        # the place of the shared file is what arrived: not every dd counts bytes
        groups["write"] = (
            f"{{ {groups['write']}; grep pos: /proc/self/fdinfo/3 >{FOLDER}/position; }} 3>{target.path}"
        )
        pipe = [groups["download"], *([groups["unpack"]] if "unpack" in groups else []), groups["write"]]
        if download.content_sha256:
            return f"{' | '.join(pipe)}; sync"
        summed = f"tee {FOLDER}/source.fifo"
        pipe.insert(1, summed)
        pipe.insert(-1, f"tee {FOLDER}/content.fifo")
        sums = "".join(
            f"sha256sum <{FOLDER}/{name}.fifo >{FOLDER}/{name}.sum & " for name in ("source", "content")
        )
        fifos = f"mkfifo {FOLDER}/source.fifo {FOLDER}/content.fifo"
        return f"{fifos}; {sums}{' | '.join(pipe)}; wait; sync"

    def _fetching(self, download: Download) -> str:
        headers = [f"{name}: {value}" for name, value in download.headers.items()]
        url = shlex.quote(download.url)
        if self._shell.has("curl"):
            options = [f"-H {shlex.quote(each)}" for each in headers]
            options += ["-k"] if download.insecure else []
            options += [f"--cacert {download.ca_cert}"] if download.ca_cert else []
            return f"curl -fsSL {' '.join(options)} {url}"
        if download.ca_cert:
            raise Unsupported("the board has no curl, and its wget does not know authorities")
        if download.url.startswith("https:") and not download.insecure and self._shell.is_busybox("wget"):
            raise Unsupported(
                "the board has no curl, and BusyBox's wget takes any certificate: nothing was written",
                hint="write insecure_tls: true, with the sha256; or have the bench serve it with 'image'",
            )
        options = [f"--header {shlex.quote(each)}" for each in headers]
        options += ["--no-check-certificate"] if download.insecure else []
        return f"wget -q -O - {' '.join(options)} {url}"

    def _unpacking(self, compression: str) -> str:
        program = UNPACKED_BY.get(compression, "")
        if program and not self._shell.has(program):
            raise Unsupported(f"the board has no {program} for an image packed with {compression}")
        return program

    def _judge(self, download: Download) -> None:
        failed = self._shell.run(f"cat {FOLDER}/failed 2>/dev/null || :").split()
        if failed:
            end, status = failed[0], failed[1]
            said = self._shell.run(f"grep -v records {FOLDER}/{end} | tail -n 3") or "no words"
            refused = end == "download" and _REFUSED.search(said)
            raise (RecipeFault if refused else Failed)(
                f"the {end} ended with status {status} ({said.splitlines()[-1]}): {_named(end, download)}",
                evidence={"end": end, "status": status, "said": said, "failed": failed},
            )
        if download.sha256 and not download.content_sha256:
            actual = self._sum("source")
            if actual != download.sha256:
                raise Failed(
                    f"what came from {_named('download', download)} has the SHA-256 {actual[:12]}…, "
                    f"expected {download.sha256[:12]}…",
                    evidence={"expected": download.sha256, "actual": actual},
                )

    def _counted(self, download: Download) -> Written:
        said = self._shell.run(f"cat {FOLDER}/position")
        found = _POSITION.search(said)
        size = int(found[1]) if found else 0
        if download.size is not None and size != download.size:
            raise Failed(
                f"{size} bytes were written, expected {download.size}",
                evidence={"expected": download.size, "actual": size, "said": said},
            )
        return Written(size, download.content_sha256 or self._sum("content"))

    def _sum(self, name: str) -> str:
        return self._shell.run(f"cat {FOLDER}/{name}.sum").split()[0]


def _named(end: str, download: Download) -> str:
    return download.url.partition("?")[0] if end == "download" else end
