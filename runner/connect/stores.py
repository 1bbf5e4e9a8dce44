"""Files of object stores and file servers, which a recipe names by their URL.

A store that can sign a request has the host of the bench fetch the file itself; what only this
machine can reach, or speak to, is copied here first and sent from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from runner.agent.calls import Advanced, Heard
from runner.api.codec import FILE, is_file
from runner.api.oci import Login, pull
from runner.api.values import Duration, is_url, is_web
from runner.api.verdicts import Cancelled, LabError, RecipeFault, Unreachable, Unsupported
from runner.connect.link import Cancel

_SIGNED_FOR = 3600
"""Seconds that a signed request may be used: a host may have others to wait for before it."""
_READ = 4 * 2**20
_SERVICES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "s3": ("s3", "bucket"),
        "gs": ("gcs", "bucket"),
        "gcs": ("gcs", "bucket"),
        "az": ("azblob", "container"),
        "azblob": ("azblob", "container"),
        "oss": ("oss", "bucket"),
        "b2": ("b2", "bucket"),
    }
)
"""OpenDAL's service for each scheme, and what it calls that which stands in the place of the host."""


_OWN = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Fetch:
    """On whose behalf files are fetched; what is copied here goes when `closing` is closed."""

    hear: Callable[[Heard], None]
    cancel: Cancel
    limit: float
    closing: contextlib.ExitStack
    hide: Callable[[str], None]
    """Makes a text secret."""


def fetched(values: Mapping[str, Any], fetch: Fetch) -> dict[str, Any]:
    """Return encoded arguments in which each file is one of this machine's, or of a web server."""
    return {name: _fetched(value, fetch) for name, value in values.items()}


def _fetched(value: Any, fetch: Fetch) -> Any:
    if is_file(value):
        named = value[FILE]
        return {FILE: _of_store(named, fetch)} if is_url(named) and not is_web(named) else value
    if isinstance(value, dict):
        return fetched(value, fetch)
    if isinstance(value, list):
        return [_fetched(each, fetch) for each in value]
    return value


def _of_store(url: str, fetch: Fetch) -> str:
    scheme = urlsplit(url).scheme
    if scheme in {"webdav", "webdavs"}:
        return url.replace("webdav", "http", 1)
    if scheme == "oci":
        return _patiently(lambda stop: _by_registry(url, fetch, stop), fetch, url)
    if scheme == "sftp":
        return _patiently(lambda stop: _by_sftp(url, fetch, stop), fetch, url)
    return _patiently(lambda stop: _by_opendal(url, fetch, stop), fetch, url)


def _by_opendal(url: str, fetch: Fetch, stop: threading.Event) -> str:
    import opendal

    service, options, path = _addressed(url)
    with _translated(url):
        store = opendal.AsyncOperator(service, **options)
        size = asyncio.run(_size(store, path))
        if store.capability().presign_read:
            asked = asyncio.run(_signed(store, path))
            if not asked.headers:
                fetch.hide(urlsplit(asked.url).query)
                return str(asked.url)
        local = _new_file(path, fetch)
        with store.to_operator().open(path, "rb") as source, local.open("xb", buffering=0) as file:
            done = 0
            while not stop.is_set() and (block := source.read(_READ)):
                file.write(block)
                done += len(block)
                fetch.hear(Advanced(done=done, total=size))
    if done != size and not stop.is_set():
        raise LabError(f"{_shown(url)}: {done} bytes came of {size}, then the connection was lost")
    return str(local)


async def _size(store: Any, path: str) -> int:
    return int((await store.stat(path)).content_length)


async def _signed(store: Any, path: str) -> Any:
    return await store.presign_read(path, _SIGNED_FOR)


def _addressed(url: str) -> tuple[str, dict[str, str], str]:
    """Return OpenDAL's service, its options and the path of a URL; the query has further options.

    >>> _addressed("s3://images/a%20b.img?region=eu-west-1")
    ('s3', {'region': 'eu-west-1', 'bucket': 'images'}, 'a b.img')
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    path = unquote(parts.path).lstrip("/")
    if parts.scheme in _SERVICES:
        service, name = _SERVICES[parts.scheme]
        return service, {**options, name: parts.netloc}, path
    server = parts.netloc.rpartition("@")[2]
    given = {"user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    known = {name: value for name, value in given.items() if value}
    return "ftp", {**options, **known, "endpoint": f"{parts.scheme}://{server}"}, path


def _by_registry(url: str, fetch: Fetch, stop: threading.Event) -> str:
    """Copy one file of an artifact: ``oci://registry/name:tag``, with ``?file=NAME`` where it has several.

    Who pulls is said by OCI_USERNAME and OCI_PASSWORD. A registry of this machine is asked without TLS.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    user, password = (os.environ.get(name, "") for name in ("OCI_USERNAME", "OCI_PASSWORD"))
    if bool(user) != bool(password):
        raise RecipeFault("OCI_USERNAME and OCI_PASSWORD go together: one of them is not set")
    folder = _new_file("artifact", fetch)

    def advance(done: int, total: int | None) -> None:
        if stop.is_set():
            raise Cancelled("the step has ended")
        fetch.hear(Advanced(done=done, total=total))

    pull(
        f"{parts.netloc}{parts.path}",
        folder,
        Login(user, password) if user else None,
        None,
        parts.hostname in _OWN,
        advance,
        only=options.get("file", ""),
    )
    return str(next(each for each in folder.rglob("*") if each.is_file()))


def _by_sftp(url: str, fetch: Fetch, stop: threading.Event) -> str:
    """Copy a file with scp(1), which goes by ~/.ssh/config, known hosts and keys as one is used to."""
    parts = urlsplit(url)
    local = _new_file(unquote(parts.path), fetch)
    command = ["scp", "-B", "-q", f"scp://{parts.netloc}/{parts.path}", str(local)]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except OSError as error:
        raise LabError(f"{_shown(url)}: cannot start scp: {error.strerror}") from error
    with process:
        while process.poll() is None:
            if stop.wait(0.05):
                process.kill()
        said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
    if process.returncode and not stop.is_set():
        last = said.rpartition("\n")[2] or f"scp ended with {process.returncode}"
        raise LabError(
            f"{_shown(url)}: {last}",
            evidence={"output": said},
            hint="try it by hand: scp asks for no password here, so a key has to be known",
        )
    return str(local)


def _new_file(path: str, fetch: Fetch) -> Path:
    folder = tempfile.TemporaryDirectory(prefix="runner-fetched-")
    fetch.closing.callback(folder.cleanup)
    return Path(folder.name, Path(path).name or "file")


def _patiently(work: Callable[[threading.Event], str], fetch: Fetch, url: str) -> str:
    """Do work on a thread of its own, until it ends, the step is cancelled, or its time is over."""
    stop, done = threading.Event(), threading.Event()
    outcome: list[str | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(stop))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            outcome.append(error)
        done.set()

    threading.Thread(target=run, name="store", daemon=True).start()
    leave = fetch.cancel.watch(lambda _cause: done.set())
    try:
        in_time = done.wait(fetch.limit)
    finally:
        leave()
        stop.set()
    if fetch.cancel.cause is not None:
        raise Cancelled(fetch.cancel.cause)
    if not in_time or not outcome:
        raise Unreachable(
            f"{_shown(url)} had not come within {Duration(round(fetch.limit, 3))}",
            hint="give the step a longer timeout",
        )
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@contextlib.contextmanager
def _translated(url: str) -> Iterator[None]:
    from opendal import exceptions

    try:
        yield
    except exceptions.NotFound as error:
        raise RecipeFault(f"{_shown(url)}: there is no such file") from error
    except exceptions.PermissionDenied as error:
        raise LabError(
            f"{_shown(url)}: the store refuses",
            evidence={"answer": str(error)},
            hint="its credentials are those of the environment, as its own tools use them",
        ) from error
    except exceptions.ConfigInvalid as error:
        raise RecipeFault(
            f"{_shown(url)}: {_first_line(error)}",
            hint="options of the store stand in the query of the URL (?region=…&endpoint=…)",
        ) from error
    except (exceptions.Error, exceptions.Unexpected, exceptions.RateLimited) as error:
        said = str(error).partition("Backtrace:")[0].strip()
        cause = said.partition("Source:")[2].strip() or _first_line(error)
        raise Unreachable(f"{_shown(url)}: {cause}", evidence={"answer": said}) from error
    except exceptions.Unsupported as error:
        raise Unsupported(f"{_shown(url)}: {_first_line(error)}") from error
    except OSError as error:
        raise LabError(f"{_shown(url)} cannot be copied: {error.strerror or error}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _shown(url: str) -> str:
    """Return a URL without what is secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
