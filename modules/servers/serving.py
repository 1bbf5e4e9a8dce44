"""What steps do with a server of either kind: start it, stop it, wait for who fetches something."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from runner.api import Context, Duration, FileServer, Misfit, RecipeFault, Result, Size, TimedOut, Transfer
from runner.modules.servers.offered_files import plain

_READ = 2**20


class ServedFile(Result):
    """A file on a server."""

    name: str
    size: Size
    sha256: str


class Served(NamedTuple):
    """What a step has done to a server."""

    files: list[ServedFile]
    changed: bool


def change(
    server: FileServer, files: Mapping[str, str], state: Literal["started", "stopped"], context: Context
) -> Served:
    """Have a server serve these files, or stop; what is so already is left alone."""
    if state == "stopped":
        if files:
            raise RecipeFault("a server that is stopped serves no files: leave out 'files' or 'state'")
        was_running = server.running
        server.stop()
        return Served([], was_running)
    added = [_described(name, Path(path), context) for name, path in files.items()]
    same = server.running and all(server.offered().get(name) == path for name, path in files.items())
    server.offer(files)
    server.start(context)
    if not same:
        server.cursor = server.latest()
    return Served(added, not same)


def unservable(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Say which names no board can ask for, and that a stopped server serves nothing."""
    files = given.get("files") or {}
    for name in files:
        if not plain(name):
            yield Misfit(
                f"files.{name}", f"{name!r} is no name for a file on a server", "write boot/kernel, say"
            )
    if files and given.get("state") == "stopped":
        yield Misfit("files", "a server that is stopped serves no files: leave out 'files' or 'state'")


def described(served: Served) -> str:
    """Return which files there are, for the log."""
    return "".join(f", {each.name} ({each.size})" for each in served.files)


def wait(
    server: FileServer, file: str, *, count: int, complete: bool, within: Duration, context: Context
) -> list[Transfer]:
    """Return the first `count` transfers of a file (empty: of any) that are new since the last wait.

    Raise TimedOut, with every request that was made meanwhile, when there are not so many in time.
    """
    if not server.running:
        raise RecipeFault("the server was not started: nobody can fetch anything from it")
    until = time.monotonic() + within
    seen: list[Transfer] = []
    fitting: list[Transfer] = []
    after = server.cursor
    while len(fitting) < count:
        found = server.next(after, until - time.monotonic(), context)
        if found is None:
            raise _too_few(file, fitting, seen, count, complete=complete, within=within)
        after, transfer = found
        seen.append(transfer)
        if (not file or transfer.file.lstrip("/") == file.lstrip("/")) and (
            transfer.complete or not complete
        ):
            fitting.append(transfer)
    server.cursor = after
    return fitting


def _too_few(
    file: str, fitting: list[Transfer], seen: list[Transfer], count: int, *, complete: bool, within: Duration
) -> TimedOut:
    what = "completely fetched" if complete else "asked for"
    times = "" if count == 1 else f" {count} times, only {len(fitting)}"
    asked = "; ".join(
        f"{each.file!r}: {each.problem or ('complete' if each.complete else 'in part')}" for each in seen[-5:]
    )
    return TimedOut(
        f"{file or 'no file'!r} was not {what}{times} within {within}"
        + (f": the board asked for {asked}" if asked else ": nobody asked for anything"),
        evidence={
            "within": float(within),
            "requests": [
                {"file": each.file, "peer": each.peer, "bytes": each.bytes, "problem": each.problem}
                for each in seen[-20:]
            ],
        },
    )


def _described(name: str, path: Path, context: Context) -> ServedFile:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_READ):
                context.check_cancelled()
                digest.update(block)
            size = file.tell()
    except OSError as error:
        raise RecipeFault(f"cannot read {str(path)!r} to serve it as {name!r}: {error.strerror}") from error
    return ServedFile(name=name, size=Size(size), sha256=digest.hexdigest())
