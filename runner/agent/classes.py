"""Classes by their path: ``package.file:Class``."""

from __future__ import annotations

import functools
import importlib
import sys

from runner.api.verdicts import LabError

_PACKAGES = {"gpiod": "python3-libgpiod", "opendal": ""}
"""Debian's packages of libraries whose name is another than theirs; empty: there is none."""


def missing_library(error: ModuleNotFoundError, why: str = "") -> LabError:
    """Say that a library is not there, and how it gets there.

    >>> missing_library(ModuleNotFoundError(name="gpiod")).hint.partition(" for")[0]
    'install it on the host of the bench: apt install python3-libgpiod, or gpiod'
    """
    name = error.name or str(error)
    library = name.partition(".")[0]
    package = _PACKAGES.get(library, f"python3-{library.replace('_', '-')}")
    debian = f"apt install {package}, or " if package else ""
    return LabError(
        f"no Python module {name!r} beside the hardware{why and f', {why}'}",
        hint=f"install it on the host of the bench: {debian}{library} for {sys.executable}; what is compiled "
        "cannot travel with the recipe",
    )


@functools.cache
def class_at(path: str) -> type:
    """Import the class at ``package.file:Class``; raise LabError when it is not there."""
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise missing_library(error, f"which {path} needs") from error
    except AttributeError as error:
        raise LabError(f"no class {name!r} in {module}") from error
    if not isinstance(found, type):
        raise LabError(f"{path} is not a class")
    return found
