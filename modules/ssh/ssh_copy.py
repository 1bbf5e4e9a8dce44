"""Copy a file to the board over SSH, or from it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import (
    Context,
    Duration,
    Failed,
    FilePath,
    Keep,
    LabError,
    Misfit,
    Module,
    RemoteShell,
    Result,
    TargetPath,
    arg,
    device,
)
from runner.modules.ssh.session import run_there
from runner.modules.ssh.streaming import receive, send

_SUM = re.compile(r"^\\?([0-9a-f]{64})\s")


class Copied(Result):
    """What was copied."""

    path: str
    """Where it is now."""
    size: int
    """In bytes."""
    sha256: str
    elapsed: Duration
    rate: float
    """Bytes per second."""


class SshCopy(Module):
    """Copy a file to the board over SSH, or from it, and compare the checksums of both ends.

    `put` a file of this machine (or of a URL) `to` a path of the board: it gets its name there when
    it is whole and its checksum is right. `get` a file of the board into the run's `artifacts/`, or
    `save` it elsewhere. The board needs `cat` and `sha256sum`, which busybox has.

    Example::

        - ssh_copy: {put: build/app, to: /usr/local/bin/app, mode: "755"}
        - ssh_copy: {get: /var/log/messages}
        - ssh_copy: {get: /data/trace.bin, save: traces/trace.bin}
    """

    limited_by = "timeout"

    put: FilePath | None = arg(default=None, help="the file that goes to the board")
    to: str = arg(default="", help="its path there; one that ends with / gets it under its own name")
    mode: str = arg(
        default="", help='its permissions there, as in "755"; as files are made there when left out'
    )
    get: str = arg(default="", help="the file of the board that is fetched")
    save: TargetPath | None = arg(default=None, help="where it is written here, instead of artifacts/")
    timeout: Duration = arg(default=Duration("5m"), help="how long it may take")
    shell: RemoteShell = device(help="the board")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which end is missing, or one too many."""
        if {"put", "get"} <= given.keys() and bool(given["put"]) == bool(given["get"]):
            yield Misfit("put", "ssh_copy needs one of 'put' and 'get'")
        if given.get("put") and given.get("to", "-") == "":
            yield Misfit("put", "'put' needs 'to'", "write to: /path/on/the/board")
        if given.get("get") and (given.get("to") or given.get("mode")):
            yield Misfit("get", "'to' and 'mode' are for 'put'", "'save' says where it is written here")
        if given.get("mode") and not re.fullmatch("0?[0-7]{3,4}", given["mode"]):
            yield Misfit("mode", f"{given['mode']!r} is no mode", 'write it as in "755"')

    def run(self, context: Context) -> Copied:
        """Copy it."""
        self.shell.connect(float(context.left))
        return self._put(Path(self.put), context) if self.put else self._get(context)

    def _put(self, source: Path, context: Context) -> Copied:
        started = time.monotonic()
        target = self.to + (source.name if self.to.endswith("/") else "")
        part = shlex.quote(f"{target}.part")
        try:
            digest = send(self.shell, f"cat > {part}", source, context, self.timeout)
            self._compare(self._checksum(part, context), digest, target)
            mode = f"chmod {self.mode} {part} && " if self.mode else ""
            self._run(f"{mode}mv {part} {shlex.quote(target)}", context)
        except (Failed, LabError):
            with contextlib.suppress(Failed, LabError):  # the first fault is the one to tell
                self._run(f"rm -f {part}", context)
            raise
        return self._copied(target, source.stat().st_size, digest, started)

    def _get(self, context: Context) -> Copied:
        started = time.monotonic()
        there = shlex.quote(self.get)
        size = int(self._run(f"wc -c < {there}", context))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            digest = receive(self.shell, f"cat {there}", copy, size, context, self.timeout)
            self._compare(self._checksum(there, context), digest, self.get)
            name = os.path.basename(self.get)  # noqa: PTH119 - a path of the board
            kept = context.artifact(name, copy, Keep(to=self.save, parents=True) if self.save else None)
        return self._copied(str(self.save or name), kept.size, digest, started)

    def _checksum(self, quoted: str, context: Context) -> str:
        printed = self._run(f"sha256sum {quoted}", context)
        found = _SUM.match(printed)
        if found is None:
            raise Failed(f"sha256sum printed {printed.strip()!r}, expected a checksum")
        return found[1]

    def _compare(self, there: str, here: str, path: str) -> None:
        if there != here:
            raise Failed(
                f"{path} on {self.shell.where()} has the SHA-256 {there[:12]}…, expected {here[:12]}…",
                evidence={"here": here, "there": there},
                hint="has it changed meanwhile? Is the board's disk full, or broken?",
            )

    def _run(self, line: str, context: Context) -> str:
        return run_there(self.shell, line, context, timeout=self.timeout, status=(0,), quiet=True).stdout

    def _copied(self, path: str, size: int, digest: str, started: float) -> Copied:
        elapsed = time.monotonic() - started
        return Copied(path=path, size=size, sha256=digest, elapsed=Duration(elapsed), rate=size / elapsed)
