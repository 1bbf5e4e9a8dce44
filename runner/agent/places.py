"""Where files of the controller's, and from the network, are on this host: in its cache, or for a while."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from runner.agent import bulk
from runner.agent.calls import Put
from runner.agent.credit import Debt
from runner.agent.fetching import Fetching, fetching
from runner.agent.frames import Kind
from runner.agent.messages import to_json
from runner.agent.part import Part
from runner.agent.stop import Stop
from runner.agent.store import OneAtATime, Store, cache_at, locked
from runner.api.codec import FILE, is_file
from runner.api.values import is_url, is_web
from runner.api.verdicts import LabError, RecipeFault

if TYPE_CHECKING:
    from runner.agent.call import Call
    from runner.agent.calls import Heard

PREFIX = "runner-files-"
"""Of folders that go with an agent; the number of its warden follows, which removes what is left."""


@dataclass(frozen=True)
class _Asked:
    """On whose behalf files are fetched, and how."""

    how: Fetching
    hear: Callable[[Heard], None]
    stop: Stop


class Places:
    """The files that this agent was given; made with the first of them."""

    def __init__(self) -> None:
        """Have no file yet."""
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._temporary: Path | None = None
        self._turns = OneAtATime()
        self._fetched: dict[tuple[object, ...], str] = {}
        self.cache = ""
        """The folder in which files may stay; empty: in none."""
        self.cache_size: int | None = None

    def put(self, request: Put, call: Call) -> dict[str, str]:
        """Return where a file of the controller's is; have it sent when it is not here."""
        store, name = self.store(), plain_name(request.name)
        found = store.find(request.sha256, name)
        if found is not None:
            return {"path": str(found)}
        store.make_room(request.stored)
        part = Part(store, request.sha256, request.size, name)
        try:
            part.refuse_without_room(request.stored)
            _receive(part, call)
            return {"path": str(part.keep())}
        finally:
            part.close()

    def fetched(
        self, values: Mapping[str, Any], hear: Callable[[Heard], None], stop: Stop, argument: str = ""
    ) -> dict[str, Any]:
        """Return encoded arguments with a path in the place of each URL, whose file is fetched by then.

        `argument`: what the module's `fetches` says.
        """
        return self._with_paths(values, _Asked(fetching(argument, values), hear, stop))

    def store(self) -> Store:
        """Return the store of this agent; raise LabError when there is no folder for it."""
        with self._lock:
            if self._store is None:
                self._store = Store(cache_at(self.cache) if self.cache else self._make(), self.cache_size)
            return self._store

    def close(self) -> None:
        """Let go of all files; those outside of the cache are removed."""
        if self._store is not None:
            self._store.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _with_paths(self, values: Mapping[str, Any], asked: _Asked) -> dict[str, Any]:
        return {
            name: self._with_path(value, asked, asked.how.checksum(name, values))
            for name, value in values.items()
        }

    def _with_path(self, value: Any, asked: _Asked, sha256: str = "") -> Any:
        if is_file(value) and is_web(value[FILE]):
            return {FILE: self._of_url(value[FILE], asked, sha256)}
        if is_file(value) and is_url(value[FILE]):
            raise RecipeFault(
                f"{value[FILE].partition('?')[0]} cannot be fetched for this",
                hint="a device gets files of this machine and of web servers only; a step gets it",
            )
        if isinstance(value, dict):
            return self._with_paths(value, asked)
        if isinstance(value, list):
            return [self._with_path(each, asked) for each in value]
        return value

    def _of_url(self, url: str, asked: _Asked, sha256: str) -> str:
        from runner.agent.download import download

        headers = asked.how.headers_for(url)
        known = (url, sha256, *sorted(headers.items()))
        with self._turns.of(url):
            if known not in self._fetched:
                path = download(url, self.store(), asked.hear, asked.stop, headers=headers, sha256=sha256)
                self._fetched[known] = str(path)
            return self._fetched[known]

    def _make(self) -> Path:
        root = Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the folder in it gets a name by chance
        _sweep(root)
        try:
            new = Path(tempfile.mkdtemp(prefix="runner-new-", dir=root))
        except OSError as error:
            raise LabError(
                f"nothing can be put into {str(root)!r} on the host: {error.strerror}",
                hint="TMPDIR there, or 'cache' of the host, names a folder in which its user may write",
            ) from error
        held = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
        locked(held, fcntl.LOCK_SH)  # until the process ends: so other agents see that it is in use
        self._temporary = new.rename(root / f"{PREFIX}{os.getppid()}-{secrets.token_hex(4)}")
        return self._temporary


def plain_name(name: str) -> str:
    """Return a name that is one file in a folder, whatever was sent.

    >>> plain_name("a/../b.img"), plain_name("..")
    ('b.img', 'file')
    """
    plain = name.rpartition("/")[2].replace("\\0", "")[-200:]
    return plain if plain.strip(".") else "file"


def _sweep(root: Path) -> None:
    """Remove what agents left that were killed together with their wardens."""
    for left in root.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # it is another user's, or was removed meanwhile
            held = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if os.fstat(held).st_uid == os.geteuid() and locked(held, fcntl.LOCK_EX):
                    shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(held)


def _receive(part: Part, call: Call) -> None:
    """Say what is wanted, and take what comes until its end; raise the verdict of a call that must stop."""
    payloads: SimpleQueue[bytes | None] = SimpleQueue()
    debt = Debt(2 * bulk.LEAST_UNDER_WAY)
    call.receive(payloads.put)
    leave = call.stop.watch(lambda: payloads.put(None))
    try:
        wanted = {"Wanted": {"start": part.length, "sha256": part.sha256}}
        call.say(Kind.EVENT, to_json(wanted))
        while (payload := payloads.get()) != bulk.END:
            if payload is None:
                raise call.stop.verdict()
            part.take(payload)
            credit = debt.read(len(payload))
            if credit:
                call.say(Kind.CREDIT, credit)
    finally:
        leave()
