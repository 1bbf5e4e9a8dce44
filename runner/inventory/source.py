"""Where an inventory comes from: a file, a folder, or a program that prints JSON."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from runner.document import Node
from runner.errors import Fault, InputError
from runner.loader import load, loads, shown_path

PROGRAM_TIMEOUT = 30
"""Seconds that a dynamic inventory may take."""
_SUFFIXES = {".yaml", ".yml", ".json"}


def documents(paths: tuple[str, ...]) -> list[tuple[Path, Node]]:
    """Return every document of an inventory with its file, in the order in which they count."""
    return [document for path in paths for document in _documents(Path(path))]


def _documents(path: Path) -> list[tuple[Path, Node]]:
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES and each.is_file())
        if not files:
            raise InputError([Fault(code="E413", message=f"no inventory file in {shown_path(str(path))}")])
        return [(file, load(str(file))) for file in files]
    if path.is_file() and os.access(path, os.X_OK) and path.suffix not in _SUFFIXES:
        return [(path, _printed(path))]
    return [(path, load(str(path)))]


def _printed(path: Path) -> Node:
    shown = shown_path(str(path))
    try:
        done = subprocess.run(
            [str(path.resolve())],
            capture_output=True,
            text=True,
            timeout=PROGRAM_TIMEOUT,
            check=False,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired:
        message = f"{shown} printed no inventory within {PROGRAM_TIMEOUT} s"
        raise InputError([Fault(code="E414", message=message)]) from None
    except OSError as error:
        raise InputError([Fault(code="E414", message=f"{shown} cannot be run: {error.strerror}")]) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        hint = said[-1] if said else ""
        raise InputError(
            [Fault(code="E414", message=f"{shown} ended with exit status {done.returncode}", hint=hint)]
        )
    return loads(done.stdout, f"{shown} (output)", folder=str(path.parent))
