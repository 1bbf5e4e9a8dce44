"""Reads a file, or text, of one YAML document."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from runner.document import Node, Scalar
from runner.errors import Fault, Faults, InputError, Location
from runner.loader.compose import Composer
from runner.loader.fence import Fence
from runner.loader.tags import Tags


def load(path: str, *, shown: str | None = None, fence: Fence | None = None) -> Node:
    """Read a file of one YAML document; raise InputError with everything that is wrong with it.

    `shown` is the path in errors and locations. `fence`: what it may have read for it, None for anything.
    """
    name = shown or shown_path(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError([_not_text(path, name, error)]) from error
    except OSError as error:
        what = f"no such file: {name}" if isinstance(error, FileNotFoundError) else _refused(name, error)
        raise InputError([Fault(code="E110", message=what)]) from error
    return loads(text, name, folder=str(Path(path).parent), fence=fence)


def loads(
    text: str,
    path: str,
    *,
    folder: str = ".",
    environment: Mapping[str, str] = os.environ,
    fence: Fence | None = None,
) -> Node:
    """Load YAML text; `path` is what locations show, `folder` is where ``!file`` looks."""
    faults = Faults()
    composer = Composer(path, Tags(Path(folder), environment, faults, fence), faults)
    node: Node | None = None
    try:
        node = composer.compose(text)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        faults.extend(InputError([_in_our_words(error, text, path, composer)]))
    except InputError as error:
        faults.extend(error)
    faults.raise_if_any()
    return Scalar(Location(path, 1, 1), None, "") if node is None else node


def _in_our_words(error: Exception, text: str, path: str, composer: Composer) -> Fault:
    from runner.loader.syntax import character_fault, syntax_fault

    if isinstance(error, yaml.MarkedYAMLError):
        return syntax_fault(error, text, path, composer.bracket)
    return character_fault(error, text, path)


def shown_path(path: str) -> str:
    """Return a path as people like to see it: relative when it is below the current folder."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _refused(name: str, error: OSError) -> str:
    return f"{name} cannot be read: {error.strerror}"


def _not_text(path: str, name: str, error: UnicodeDecodeError) -> Fault:
    before = Path(path).read_bytes()[: error.start]
    at = Location(name, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
    message = f"this is not UTF-8 text: byte 0x{error.object[error.start]:02x}"
    return Fault(code="E111", message=message, at=at, hint="save the file as UTF-8")
