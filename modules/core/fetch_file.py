"""Get a file from the bench's host."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from runner.api import Context, Duration, Keep, Module, RecipeFault, Result, TargetPath, arg
from runner.modules.core.push_file import octal


class Fetched(Result):
    """What was fetched."""

    name: str
    """Of the file in ``artifacts/``, or the path that it was written to."""
    size: int
    """In bytes."""
    sha256: str
    elapsed: Duration


class FetchFile(Module):
    """Get a file of the bench's host into the run's `artifacts/`, or to another place.

    It has its name here only when it is whole and its checksum is right. Of a log that grows, what
    there is at the beginning is fetched; a file that becomes shorter meanwhile is an error.

    Example::

        - fetch_file: /var/log/selftest.log
        - fetch_file: {file: /data/trace.bin, name: "trace-{{ bench.name }}.bin"}
        - fetch_file: {file: /data/trace.bin, to: traces/trace.bin, parents: true, exists: refuse}
    """

    unconfined = True

    file: str = arg(primary=True, help="its path there")
    name: str = arg(default="", help="its name in artifacts/; its own name when left out")
    to: TargetPath | None = arg(
        default=None, help="where it is written on the machine that runs runner, instead of artifacts/"
    )
    mode: str = arg(default="", help="its permissions, as in \"600\", with 'to'; as files are made here")
    exists: Literal["replace", "refuse"] = arg(
        default="replace", help="what to do when 'to' is there already"
    )
    parents: bool = arg(default=False, help="make folders of 'to' that are missing")

    def run(self, context: Context) -> Fetched:
        """Send it back."""
        started = time.monotonic()
        path, mode = Path(self.file).expanduser(), octal(self.mode)
        if self.to is None and (mode is not None or self.parents or self.exists == "refuse"):
            raise RecipeFault("'mode', 'exists' and 'parents' are for 'to'")
        if path.is_dir():
            raise RecipeFault(f"{self.file!r} is a folder on the bench's host", hint="pack it with tar first")
        keep = None
        if self.to is not None:
            keep = Keep(to=self.to, mode=mode, replace=self.exists == "replace", parents=self.parents)
        name = self.name or path.name
        kept = context.artifact(name, path, keep)
        return Fetched(
            name=str(self.to or name),
            size=kept.size,
            sha256=kept.sha256,
            elapsed=Duration(time.monotonic() - started),
        )
