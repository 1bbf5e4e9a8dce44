"""The rest of the agent, the modules and their libraries, kept on the host from run to run.

It is what an agent is pushed first, and imports nothing but its core. What the cache has is compared
in memory with the checksum that the controller names, and only that is run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from pathlib import Path

from runner.agent.frames import CONNECTION, Kind
from runner.agent.outbox import Outbox

_NAME = ".runner-code"
_AT_MOST = 16
"""Bundles: there is one for each version, and each set of modules that a recipe needs."""


class Bundle:
    """One bundle of sources in the cache; the same layout as `runner.agent.store`."""

    def __init__(self, sha256: str, folder: str) -> None:
        """Know its checksum, and the folder of the cache."""
        self._sha256 = sha256
        self._root = Path(folder).expanduser()

    def read(self) -> bytes:
        """Return the bundle; nothing when it is not there, or is not what it was."""
        folder = self._root / self._sha256
        try:
            payload = (folder / _NAME).read_bytes()
            os.utime(folder)
        except OSError:
            return b""
        return payload if hashlib.sha256(payload).hexdigest() == self._sha256 else b""

    def keep(self, payload: bytes, outbox: Outbox) -> None:
        """Keep what was sent for the next run; say why when that cannot be done."""
        why = self._refusal(payload)
        try:
            if not why:
                self._write(payload)
        except OSError as error:
            why = f"{self._root}: {error.strerror}"
        if why:
            from runner.agent.calls import Said  # it has come by now, with the bundle
            from runner.agent.wording import pack

            said = Said(text=f"the code was not kept in the cache: {why}", level="warning")
            outbox.say(Kind.EVENT, CONNECTION, pack(said))

    def _refusal(self, payload: bytes) -> str:
        if hashlib.sha256(payload).hexdigest() != self._sha256:
            return "other code came than was announced"
        with contextlib.suppress(FileNotFoundError):
            found = self._root.stat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                return f"{self._root} belongs to others, or others may write in it"
        return ""

    def _write(self, payload: bytes) -> None:
        folder = self._root / self._sha256
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._root / f"{self._sha256}.{secrets.token_hex(4)}.part"
        try:
            part.write_bytes(payload)
            part.replace(folder / _NAME)
        finally:
            part.unlink(missing_ok=True)
        kept = sorted(self._root.glob(f"*/{_NAME}"), key=lambda each: each.parent.stat().st_mtime)
        for old in kept[:-_AT_MOST]:
            shutil.rmtree(old.parent, ignore_errors=True)
