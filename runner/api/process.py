"""Child processes of drivers and modules: started in sessions of their own, ended with all they started.

Whatever is still there when an agent ends, or is killed, its warden ends (`runner.agent.warden`).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Any, Union

from runner.api.verdicts import LabError, Unreachable

_UNKILLABLE = 5.0
"""Seconds after SIGKILL until we give up: a process that waits for a device cannot be killed."""

File = Union[int, IO[Any], None]


def popen(
    arguments: Sequence[str],
    *,
    stdin: File = subprocess.DEVNULL,
    stdout: File = subprocess.PIPE,
    stderr: File = subprocess.PIPE,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session, and so in a process group, of its own; end it with `end`.

    Raises Unreachable when the program is not there or may not be run.
    """
    try:
        return subprocess.Popen(
            list(arguments),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=None if env is None else dict(env),
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except OSError as error:
        where = f" in {cwd}" if cwd else ""
        raise Unreachable(
            f"cannot start {arguments[0]!r}{where}: {error.strerror}",
            hint="is it installed on the bench's host, and on PATH?",
        ) from error


def end(process: subprocess.Popen[bytes], grace: float = 2.0) -> int:
    """End a program and its process group; return its exit status (negative: a signal).

    SIGTERM first, SIGKILL to what is left after `grace` seconds. Safe to call on one
    that has ended. Raises LabError when the kernel cannot kill it within 5 s.
    """
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        _wait_for_death(process)
    _signal_group(process, signal.SIGKILL)
    return process.returncode


def _wait_for_death(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_UNKILLABLE)
    except subprocess.TimeoutExpired as error:
        raise LabError(
            f"process {process.pid} cannot be killed",
            evidence={"arguments": process.args},
            hint="it waits in the kernel for a device: unplug that, or reboot the host",
        ) from error


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal everyone in the group; nobody being left is what we want."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
