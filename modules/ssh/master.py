"""One connection of OpenSSH's client that every command goes through (ssh_config(5), ControlMaster)."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from runner.api import Failed, LabError, Verdict
from runner.api.process import end, popen

_READY = "runner: connected"
_SECRET = "RUNNER_SSH_PASSWORD"  # noqa: S105 - the variable's name
_BOARD = (
    "connection refused",
    "timed out",
    "no route to host",
    "network is unreachable",
    "connection reset",
    "connection closed",
    "closed by remote host",
    "kex_exchange_identification",
)
"""What ssh says when the board is not there, or not ready yet."""
_GOODBYE = 2.0
"""Seconds that a client whose connection broke needs to end."""


class Master:
    """The connection: made once, used by every command until it breaks."""

    def __init__(self, options: Sequence[str], password: str, where: str) -> None:
        """Get ready. `options`: ssh's arguments up to the destination, that included."""
        self._options = tuple(options)
        self._password = password
        self._where = where
        self._folder = Path(tempfile.mkdtemp(prefix="runner-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where its clients ask for a session."""
        return self._folder / "ssh"

    def connect(self, timeout: float) -> None:
        """Connect, unless we are; raise Failed or LabError when it does not succeed."""
        if self._process is not None and self._process.poll() is None:
            return
        self.disconnect()
        self._process = self._started()
        said = self._heard(timeout)
        if said != _READY:
            raise self._refused(said, timeout)

    def lost(self) -> str:
        """Say why the connection has ended; empty while it is there."""
        if self._process is None:
            return "it was never made"
        try:
            self._process.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            return ""
        return _last_line(self._errors()) or "the other end has closed it"

    def disconnect(self) -> None:
        """End the connection, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        end(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def close(self) -> None:
        """End the connection for good."""
        self.disconnect()
        shutil.rmtree(self._folder)

    def _started(self) -> subprocess.Popen[bytes]:
        told = ("-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {_READY}")
        arguments = ("ssh", "-N", "-M", "-S", str(self.socket), *told, *self._options)
        return popen(arguments, env={**os.environ, **self._asked()})

    def _asked(self) -> dict[str, str]:
        """Have ssh ask a program of ours for the password (ssh(1), SSH_ASKPASS)."""
        if not self._password:
            return {}
        answer = self._folder / "answer"
        answer.write_text(f"#!/bin/sh\nprintf '%s\\n' \"${_SECRET}\"\n", encoding="ascii")
        answer.chmod(0o700)
        return {
            "SSH_ASKPASS": str(answer),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": ":0",
            _SECRET: self._password,
        }

    def _heard(self, timeout: float) -> str | None:
        """Return the first line that it says, empty when it ends without; None when the time is over."""
        process = self._process
        if process is None or process.stdout is None:
            return ""
        until, said = time.monotonic() + timeout, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in said:
                if not selector.select(max(0.0, until - time.monotonic())):
                    return None
                more = os.read(process.stdout.fileno(), 4096)
                if not more:
                    break
                said += more
        return said.decode(errors="replace").partition("\n")[0]

    def _errors(self) -> str:
        """Return what it has complained about; it has ended."""
        pipe = self._process.stderr if self._process is not None else None
        return "" if pipe is None else pipe.read().decode(errors="replace")

    def _refused(self, said: str | None, timeout: float) -> Verdict:
        if self._process is not None:
            end(self._process)
        late = said is None
        why = f"no answer within {timeout:g}s" if late else _last_line(self._errors()) or "ssh has ended"
        evidence = {"address": self._where, "reason": why}
        if late or any(each in why.lower() for each in _BOARD):
            return Failed(f"{self._where} does not answer: {why}", evidence=evidence)
        return LabError(f"{self._where}: {why}", evidence=evidence, hint=_hint(why))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Warning:")]
    return lines[-1] if lines else ""


def _hint(why: str) -> str:
    if "permission denied" in why.lower():
        return "see the options 'user', 'password' and 'identity_file'"
    if "host key" in why.lower():
        return "its host key is another than before: 'host_key: ignore' takes any, as after a flash"
    return ""
