"""Fetches files from the network, and keeps them by their content."""

from __future__ import annotations

import http.client
import re
import secrets
import time
import urllib.parse
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from runner.agent.calls import Advanced, Heard, Said
from runner.agent.http import SILENCE, answer_to, shown, without_credentials
from runner.agent.pipes import write_all
from runner.agent.places import plain_name
from runner.agent.room import written
from runner.agent.stop import Stop
from runner.agent.store import Store
from runner.api.values import Size
from runner.api.verdicts import LabError, RecipeFault, Unreachable

_READ = 256 * 1024
_PROGRESS_EVERY = 0.1
_WANTED = re.compile(r"sha256=([0-9a-fA-F]{64})")


def download(
    url: str,
    store: Store,
    hear: Callable[[Heard], None],
    stop: Stop,
    *,
    headers: Mapping[str, str] | None = None,
    sha256: str = "",
) -> Path:
    """Fetch what a URL leads to, and keep it in a store.

    What it has to be says `sha256`, or ``#sha256=…`` at its end. Raise Unreachable when the server
    does not answer, LabError for what it answers, RecipeFault for another content than was asked for.
    """
    address, _, fragment = url.partition("#")
    wanted = _wanted(fragment) or sha256
    name = plain_name(urllib.parse.unquote(urllib.parse.urlsplit(address).path))
    found = store.find(wanted, name) if wanted else None
    if found is not None:
        return found
    began = time.monotonic()
    address, given = without_credentials(address)
    with answer_to(address, {**given, **(headers or {})}) as answer:
        path = _fetched(answer, shown(address), wanted, name, store, hear, stop)
    size, seconds = path.stat().st_size, time.monotonic() - began
    hear(Said(text=f"fetched {name}: {Size(size)} in {seconds:.1f} s from {shown(address)}"))
    return path


def _wanted(fragment: str) -> str:
    if not fragment:
        return ""
    found = _WANTED.fullmatch(fragment)
    if found is None:
        raise RecipeFault(
            f"'#{fragment}' does not say what the file has to be", hint="write #sha256=…, with 64 digits"
        )
    return found[1].lower()


def _fetched(
    answer: Any,
    address: str,
    wanted: str,
    name: str,
    store: Store,
    hear: Callable[[Heard], None],
    stop: Stop,
) -> Path:
    said = answer.headers.get("Content-Length")
    total = int(said) if said and said.isdigit() else None
    store.make_room(total or 0)
    new = store.root / f"{sha256(secrets.token_bytes(8)).hexdigest()}.new"
    digest, done, told = sha256(), 0, 0.0
    try:
        with new.open("xb", buffering=0) as file:
            while data := _read(answer, address):
                if stop.cause is not None:
                    raise stop.verdict()
                with written(store.root, name):
                    write_all(file.fileno(), data)
                digest.update(data)
                done += len(data)
                if time.monotonic() - told >= _PROGRESS_EVERY:
                    told = time.monotonic()
                    hear(Advanced(done=done, total=total))
        if total is not None and done != total:
            raise LabError(f"{address}: {done} bytes came of {total}, then the connection was lost")
        if wanted and digest.hexdigest() != wanted:
            raise RecipeFault(
                f"{address} has the SHA-256 {digest.hexdigest()[:12]}…, expected {wanted[:12]}…",
                evidence={"expected": wanted, "actual": digest.hexdigest()},
                hint="is it the right file? Nothing was done with it",
            )
        return store.keep(new, digest.hexdigest(), name)
    finally:
        new.unlink(missing_ok=True)


def _read(answer: Any, address: str) -> bytes:
    try:
        data: bytes = answer.read(_READ)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(
            f"{address}: the connection was lost: {error or type(error).__name__} (the server may be silent "
            f"for {SILENCE:g}s)"
        ) from error
    return data
