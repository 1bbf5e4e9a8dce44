"""Modules that came as source. Stands alone: a remote agent begins with this file."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec


class PushedSources:
    """Finds and loads Python modules from what the controller sent; tracebacks show their files.

    A finder for `sys.meta_path` and a loader (PEP 451), without `importlib.abc`, whose
    import costs more than all of this.
    """

    def __init__(self) -> None:
        """Hold no source yet."""
        self._sources: dict[str, tuple[str, str]] = {}
        self._packages: set[str] = set()

    def add(self, sources: Mapping[str, Sequence[str]]) -> None:
        """Take modules: name to file and source. Packages above them need no source."""
        self._sources.update({name: (file, source) for name, (file, source) in sources.items()})
        for name in sources:
            missing = (each for each in _above(name) if each not in self._sources and not _exists(each))
            self._packages.update(missing)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that was pushed, or a package above one."""
        del path, target
        if fullname not in self._sources and fullname not in self._packages:
            return None
        file = self._file(fullname)
        package = self.is_package(fullname)
        spec = ModuleSpec(fullname, self, origin=file or None, is_package=package)  # type: ignore[arg-type]
        spec.has_location = bool(file)
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to the import system to make the module."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the source in the module."""
        exec(self.get_code(module.__name__), vars(module))  # noqa: S102 - what importing is

    def is_package(self, fullname: str) -> bool:
        """Tell whether a pushed module is a package."""
        return fullname in self._packages or self._file(fullname).endswith("__init__.py")

    def get_source(self, fullname: str) -> str:
        """Return the source, also for tracebacks; empty for a package that has none."""
        return self._sources.get(fullname, ("", ""))[1]

    def get_code(self, fullname: str) -> types.CodeType:
        """Compile the source under its file's name."""
        return compile(
            self.get_source(fullname), self._file(fullname) or f"<{fullname}>", "exec", dont_inherit=True
        )

    def _file(self, fullname: str) -> str:
        return self._sources.get(fullname, ("", ""))[0]


def _above(name: str) -> list[str]:
    parts = name.split(".")[:-1]
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _exists(name: str) -> bool:
    if name in sys.modules:
        return True
    import importlib.util

    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
