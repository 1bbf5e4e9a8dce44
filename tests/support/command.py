"""Runs the command as a person types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIMIT = 300
"""Seconds that tell a hang from an end, however busy the machine is."""
RUNNER = [sys.executable, "-m", "runner"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "RUNNER_"))}


def runner(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run to the end and return what was printed."""
    return subprocess.run(
        [*RUNNER, *arguments],
        cwd=folder,
        env={**CLEAN, "CI": "", "RUNNER_STATE": str(folder / "state"), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start, to be interrupted."""
    return subprocess.Popen(
        [*RUNNER, *arguments],
        cwd=folder,
        env={**CLEAN, "RUNNER_STATE": str(folder / "state"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def wait_until(holds: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.02)


def interrupt(process: subprocess.Popen[str], number: int = signal.SIGINT) -> None:
    """Send a signal to it alone."""
    process.send_signal(number)
