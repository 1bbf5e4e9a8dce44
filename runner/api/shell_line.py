"""Lines for the shell of a host, as some drivers switch with: what they print, or why that is not so."""

from __future__ import annotations

import subprocess
import time

from runner.api.process import end, popen
from runner.api.values import Duration
from runner.api.verdicts import LabError


def printed_by(command: str, limit: Duration) -> str:
    """Run a line for ``/bin/sh`` and return what it prints; raise LabError when it fails or does not end."""
    started = time.monotonic()
    process = popen(["/bin/sh", "-c", command], stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise LabError(
            f"{command!r} did not end within {limit}",
            evidence={"command": command, "limit": float(limit)},
            hint="give it more time with the option 'limit'",
        ) from error
    finally:
        end(process)
        if process.stdout:
            process.stdout.close()
    printed = output.decode(errors="replace")
    if process.returncode:
        last = printed.strip().rpartition("\n")[2]
        raise LabError(
            f"exit status {process.returncode}, expected 0: {command}" + (f": {last}" if last else ""),
            evidence={
                "command": command,
                "status": process.returncode,
                "output": printed,
                "seconds": round(time.monotonic() - started, 3),
            },
        )
    return printed
