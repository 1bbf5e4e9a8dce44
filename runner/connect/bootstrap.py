"""Starts the agent on a host that has only Python: one command, one payload, no file written there.

The command reads as many bytes from stdin as the payload has, and runs them. Whatever a
shell's profile prints before is skipped up to a mark that only the payload knows.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import secrets
import shlex
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from runner.agent.calls import Heard, Said
from runner.connect.channel import BUNDLE
from runner.connect.ended import Ended
from runner.connect.needs import Sources, source_closure

_ROOTS = ("runner.agent.main", "runner.agent.warden")
_MOST_NOISE = 2**20
_SHOWN = 400
_NOT_FOUND, _NOT_EXECUTABLE, _SSH_FAILED = 127, 126, 255
_TOO_OLD = re.compile(r"runner needs Python 3\.10, and this is ([\d.]+)")
_ADVICE = {
    "resolve hostname": "'address' of the host, or HostName in ~/.ssh/config, says where it is",
    "refused": "does an SSH server run there, and is 'port' of the host its port?",
    "timed out": "is it switched on, and is there a way to it ('jump')?",
    "Host key": "put its key into a file of known hosts if it is the right one (ssh-keygen -lf, there)",
    "Permission denied": "'identity_file' of the host names a key, ssh-add gives one to the agent",
}
_READ_AND_RUN = """\
import sys;\
sys.version_info<(3,10)and sys.exit("runner needs Python 3.10, and this is %d.%d"%sys.version_info[:2]);\
import os,zlib,json;\
exec("d=b\\"\\"\\nwhile len(d)<{size}:d+=os.read(0,{size}-len(d))or sys.exit(1)");\
b,c,m=json.loads(zlib.decompress(d));exec(b)"""
_BEGIN = """\
import types
importer = types.ModuleType("runner.agent.importer")
exec(compile(c[importer.__name__][1], c[importer.__name__][0], "exec", dont_inherit=True), vars(importer))
sources = importer.PushedSources()
sources.add(c)
sys.meta_path.insert(0, sources)
from runner.agent.main import inherit, main
from runner.agent.warden import guard
os.write(1, m.encode())
sys.exit(guard(lambda estate: main(sources, estate), lambda estate: inherit(sources, estate)))
"""


class Pipe(Protocol):
    """Bytes to and from a program on a host."""

    def read(self, size: int, timeout: float) -> bytes | None:
        """Return what has come, up to `size` bytes; ``b""`` at the end, None when the time is over."""

    def write(self, data: bytes) -> None:
        """Write all of it; raise OSError when the program is gone."""

    def end(self) -> Ended:
        """End the program if it has not ended, and say how it did."""

    def release(self) -> None:
        """Give back what it holds; only once it has ended and nobody reads any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The bytes that become an agent, and what it says when it begins."""

    data: bytes
    mark: bytes

    def command(self, python: str) -> str:
        """Return the command that runs them, for any shell (sh, dash, bash, zsh, fish)."""
        return f"exec {_word(python)} -I -c '{_READ_AND_RUN.format(size=len(self.data))}'"


def payload() -> Payload:
    """Return a payload with a mark of its own."""
    mark = f"runner-agent-{secrets.token_hex(8)}\n"
    packed = json.dumps([_BEGIN, core(), mark], separators=(",", ":"))
    return Payload(data=zlib.compress(packed.encode(), 9), mark=mark.encode())


@functools.cache
def core() -> dict[str, tuple[str, str]]:
    """Return the sources that an agent begins with: enough to be sent the rest (`the_rest`)."""
    return dict(sorted(source_closure(_ROOTS, {}, lazy=False).items()))


def the_rest(classes: Iterable[str], own: Sources) -> dict[str, tuple[str, str]]:
    """Return the sources to push: the rest of the agent, and these classes (``package.file:Class``).

    `own` are the user's modules; they travel whole, with the libraries they import.
    """
    modules = (each.partition(":")[0] for each in classes)
    found = source_closure((*_ROOTS, "runner.agent.service", BUNDLE, *own, *modules), own)
    return {name: source for name, source in found.items() if name not in core()}


class RemoteAgent:
    """A port to an agent that is being started at the other end of a pipe."""

    def __init__(self, pipe: Pipe, sent: Payload, heard: Callable[[Heard], None], *, python: str) -> None:
        """Send the payload; what comes before its mark is noise."""
        self._pipe = pipe
        self._mark = sent.mark
        self._python = python
        self._heard = heard
        self._noise = b""
        self._begun = False
        with contextlib.suppress(OSError):  # it has ended: reading will tell how
            pipe.write(sent.data)

    def read(self, size: int, timeout: float) -> bytes | None:
        """Return what the agent has said; raise OSError when something else talks on and on."""
        data = self._pipe.read(size, timeout)
        if self._begun or not data:
            return data
        noise, found, rest = (self._noise + data).partition(self._mark)
        self._noise = noise
        if not found:
            if len(noise) > _MOST_NOISE:
                raise OSError(f"more than {_MOST_NOISE} bytes came, and none from it: {_shown(noise)}")
            return self.read(size, timeout)
        self._begun = True
        if noise.strip():
            self._heard(Said(text=f"printed before the agent began: {_shown(noise)}", level="debug"))
        return rest or self.read(size, timeout)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self._pipe.write(data)

    def last_words(self) -> str:
        """End the agent, and say how that was or why it never began."""
        ended = self._pipe.end()
        if self._begun:
            return str(ended)
        return why_not(ended, self._python, self._noise)

    def release(self) -> None:
        """Give back what the pipe holds."""
        self._pipe.release()


def why_not(ended: Ended, python: str, noise: bytes) -> str:
    """Say in one line why an agent never began, and what to do about it; what it printed follows."""
    said = " ".join(ended.said.split())
    old = _TOO_OLD.search(said)
    if old:
        return f"{python} is Python {old[1]} there, and 3.10 is needed: 'python' of the host names another"
    if ended.status in {_NOT_FOUND, _NOT_EXECUTABLE}:
        return (
            f"{python!r} cannot be run there ({said or ended.how}); install Python 3.10 or "
            "newer (Debian: apt install python3), or say where it is with 'python' of the host"
        )
    if ended.status == _SSH_FAILED:
        return f"ssh could not connect: {said}; {_try_next(said)}"
    printed = f"; it printed: {_shown(noise)}" if noise.strip() else ""
    hint = "does the shell's profile there read from stdin, or is another command forced on this key?"
    return f"it had not begun: {ended.how}{printed}; {hint}\n{ended.said}".rstrip()


def _try_next(said: str) -> str:
    """Say what may help against what the program ssh says."""
    for sign, advice in _ADVICE.items():
        if sign in said:
            return advice
    return "try the same with ssh -v"


def _shown(noise: bytes) -> str:
    return repr(noise.decode("utf-8", "replace").strip()[:_SHOWN])


def _word(python: str) -> str:
    """Quote a program's name; ``~/`` still means the home of whoever logs in."""
    if python.startswith("~/"):
        return f'"$HOME"/{shlex.quote(python[2:])}'
    return shlex.quote(python)
