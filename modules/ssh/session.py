"""A command line on the board, judged."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from runner.api import Context, Duration, Failed, RemoteShell, TimedOut
from runner.api.program import Ended, how, run, tail

_BROKEN = 255
"""What ssh ends with when it, and not the command, has failed (ssh(1), "EXIT STATUS")."""


def run_there(
    shell: RemoteShell,
    line: str,
    context: Context,
    *,
    timeout: Duration,
    status: Sequence[int],
    stdin: str = "",
    quiet: bool = False,
) -> Ended:
    """Run a command line on the board; its output is said as it comes, unless it is `quiet`.

    Raise Failed when it ends with another status than one of `status` (none: any), or the connection
    breaks, TimedOut when it takes too long.
    """
    shell.connect(float(context.left))
    ended, in_time = run(shell.arguments(line), context, timeout=timeout, stdin=stdin, quiet=quiet)
    evidence = {
        "board": shell.where(),
        "status": ended.status,
        "stdout": tail(ended.stdout),
        "stderr": tail(ended.stderr),
    }
    if not in_time:
        raise TimedOut(
            f"not ended within {timeout} on {shell.where()}: {line}",
            evidence={**evidence, "limit": float(timeout)},
            hint="give it more time with 'timeout'",
            result=ended,
        )
    lost = shell.lost() if ended.status == _BROKEN else ""
    if lost:
        raise Failed(f"{shell.where()}: the connection was lost: {lost}", evidence=evidence, result=ended)
    if status and ended.status not in status:
        wanted = " or ".join(map(str, status))
        raise Failed(f"{how(ended.status)}, expected {wanted}: {line}", evidence=evidence, result=ended)
    return ended


def with_variables(line: str, env: Mapping[str, str]) -> str:
    """Put variables before a command line, for any POSIX shell.

    >>> with_variables("make", {"CC": "gcc -g"})
    "CC='gcc -g'; export CC; make"
    """
    return "".join(f"{name}={shlex.quote(value)}; export {name}; " for name, value in env.items()) + line
