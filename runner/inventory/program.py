"""Inventories that a program prints as JSON."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from runner.api.values import Duration
from runner.document import Node, plain
from runner.errors import Fault, InputError
from runner.loader import loads

LIMIT = Duration("30s")
"""How long a program may take."""

_MOST_SHOWN = 2000
_RAW_IN_JSON = (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)
_ESCAPES = {code: f"\\u{code:04x}" for code in _RAW_IN_JSON}
"""What JSON may hold as it is and YAML reads otherwise; with it, places in the output are those of a copy."""
_DATA = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program printed, and how it ended; `status` is None when its time was up."""

    status: int | None
    output: bytes
    errors: bytes


def is_program(path: Path) -> bool:
    """Tell whether a file is to be run: it may be, and its name is not that of a data file."""
    return path.is_file() and path.suffix not in _DATA and os.access(path, os.X_OK)


def run_program(path: str, limit: Duration = LIMIT) -> Printed:
    """Run a program without arguments; it and its children are killed after `limit`.

    Raises OSError when it cannot be started.
    """
    import subprocess

    command = [str(Path(path).resolve())]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            return Printed(None, error.stdout or b"", error.stderr or b"")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Printed(process.returncode, output, errors)


def printed_inventory(printed: Printed, shown: str, folder: str, *, limit: Duration = LIMIT) -> Node:
    """Return what a program printed, as nodes; raise InputError when it failed or printed no JSON."""
    if printed.status is None:
        raise _failed(f"inventory program {shown} did not end within {limit}", printed)
    if printed.status != 0:
        raise _failed(f"inventory program {shown} ended with {_ending(printed.status)}, expected 0", printed)
    try:
        text = printed.output.decode("utf-8")
        value = json.loads(text)
    except ValueError as error:
        raise _failed(f"inventory program {shown} printed no JSON: {error}", printed) from error
    try:
        node = loads(text, f"{shown} (output)", folder=folder)
        if plain(node) == value:
            return node
    except InputError as error:
        if any(fault.code != "E101" for fault in error.faults):
            raise
    written = json.dumps(value, ensure_ascii=False, indent=1).translate(_ESCAPES)
    return loads(written, f"{shown} (output)", folder=folder)


def _ending(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"


def _failed(message: str, printed: Printed) -> InputError:
    said = printed.errors.decode("utf-8", errors="replace").strip()
    shown = said if len(said) <= _MOST_SHOWN else f"…{said[-_MOST_SHOWN:]}"
    return InputError([Fault(code="E407", message=message, hint=f"it said: {shown}" if shown else "")])
