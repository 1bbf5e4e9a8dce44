"""Times whole commands, ours and the peers', in one run; what counts is the ratio."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

BIN = Path(sys.executable).parent
QUIET = {
    **os.environ,
    "CI": "true",
    "NO_COLOR": "1",
    "ANSIBLE_LOCALHOST_WARNING": "False",
    "ANSIBLE_HOME": "/tmp/ansible-bench",
}
QUIET.pop("PYTHONDONTWRITEBYTECODE", None)


def seconds(command: Sequence[str], *, cwd: Path, times: int = 5) -> float:
    """Return the median wall time of a command that must succeed."""
    return statistics.median(_once(command, cwd) for _ in range(times))


def _once(command: Sequence[str], cwd: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=QUIET, capture_output=True, text=True, check=False)
    spent = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return spent


def peak_kib(command: Sequence[str], *, cwd: Path) -> int:
    """Return the largest resident size of a command, in KiB."""
    code = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=cwd, env=QUIET, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def slope(
    command_of: Callable[[int], Sequence[str]], few: int, many: int, *, cwd: Path, times: int = 5
) -> float:
    """Return the seconds that one more step costs, between `few` and `many` of them."""
    low = seconds(command_of(few), cwd=cwd, times=times)
    high = seconds(command_of(many), cwd=cwd, times=times)
    return (high - low) / (many - few)


def have(program: str) -> str | None:
    """Return the path of a peer's program beside this Python or on PATH, or None."""
    import shutil

    beside = BIN / program
    return str(beside) if beside.exists() else shutil.which(program)


def say(name: str, value: str, target: str = "") -> None:
    """Print one line of the report."""
    print(f"{name:<58} {value:>22}  {target}", flush=True)


__all__ = ["BIN", "have", "peak_kib", "resource", "say", "seconds", "slope"]
