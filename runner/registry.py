"""Finds modules and drivers by name: built-in ones, installed ones, and those beside a recipe.

Files are searched for class statements without importing them; a file is imported when
one of its names is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import re
import sys
import traceback
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.api.module import Driver, Module
from runner.declaration import DriverType, Verb
from runner.declare import declare_driver, declare_verb, family_of, name_of
from runner.errors import Fault, InputError, Location

Kind = Literal["module", "driver"]
_CLASS = re.compile(r"^class\s+([A-Z]\w*)\s*\(([^)]*)\)\s*:", re.MULTILINE)
_ENTRY_POINTS = _PACKAGE = "runner.modules"
_BUILT_IN = Path(__file__).parent / "modules"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a class is written: the Python module to import, the class, and the file."""

    module: str
    cls: str
    file: str


class Registry:
    """Names of modules and drivers, and where each is written."""

    def __init__(
        self,
        places: Mapping[tuple[Kind, str], Place],
        folders: tuple[tuple[str, str], ...] = (),
        *,
        alone: bool = False,
        built_in: Path | None = None,
    ) -> None:
        """Know these names; `folders` are the user's, as (package, folder).

        `alone`: and nothing that is installed besides. `built_in`: the folder of what comes with
        runner, where a name is looked up in the file of that name, and in all files only when it is
        not there.
        """
        self._places = dict(places)
        self._built_in = built_in
        self._folders = folders
        self._verbs: dict[str, Verb] = {}
        self._drivers: dict[str, DriverType] = {}
        self._extended = alone

    @classmethod
    def built_in(cls) -> Registry:
        """Know what comes with runner."""
        return cls({}, built_in=_BUILT_IN)

    @classmethod
    def only_built_in(cls) -> Registry:
        """Know what comes with runner, and nothing that is installed besides."""
        return cls({}, built_in=_BUILT_IN, alone=True)

    def with_folder(self, folder: str) -> Registry:
        """Know the modules of a folder, too; raise InputError when a name is taken already."""
        resolved = Path(folder).resolve()
        package = f"modules_{hashlib.sha1(str(resolved).encode(), usedforsecurity=False).hexdigest()[:8]}"
        if (package, str(resolved)) in self._folders:
            return self
        _make_package(package, resolved)
        found = _scan(resolved, package)
        self._scan_built_in()
        _refuse_taken(self._places, found)
        return Registry({**self._places, **found}, (*self._folders, (package, str(resolved))))

    def verb(self, name: str) -> Verb | None:
        """Return a module's declaration, or None when there is none of that name."""
        if name not in self._verbs:
            place = self._place("module", name)
            if place is None:
                return None
            found = _imported(place)
            if not issubclass(found, Module):
                raise InputError([_not_what_it_seems(place, "Module")])
            with _blaming(place):
                self._verbs[name] = declare_verb(found, source=place.file, family=family_of(place.file))
        return self._verbs[name]

    def driver(self, name: str) -> DriverType | None:
        """Return a driver's declaration, or None when there is none of that name."""
        if name not in self._drivers:
            place = self._place("driver", name)
            if place is None:
                return None
            found = _imported(place)
            if not issubclass(found, Driver):
                raise InputError([_not_what_it_seems(place, "Driver")])
            with _blaming(place):
                self._drivers[name] = declare_driver(found, source=place.file, family=family_of(place.file))
        return self._drivers[name]

    def verb_names(self) -> tuple[str, ...]:
        """Return the names of all modules, sorted."""
        return self._names("module")

    def driver_names(self) -> tuple[str, ...]:
        """Return the names of all drivers, sorted."""
        return self._names("driver")

    def sources(self) -> Mapping[str, tuple[str, str]]:
        """Return the user's own files, to be sent to agents: Python module to (file, source)."""
        return {
            module: (str(file), file.read_text(encoding="utf-8"))
            for package, folder in self._folders
            for module, file in _files(Path(folder), package)
        }

    def _names(self, kind: Kind) -> tuple[str, ...]:
        self._extend()
        return tuple(sorted(name for each, name in self._places if each == kind))

    def _place(self, kind: Kind, name: str) -> Place | None:
        if (kind, name) not in self._places and self._built_in is not None:
            self._places.update(_in_its_file(self._built_in, name))
        if (kind, name) not in self._places:
            self._extend()
        return self._places.get((kind, name))

    def _scan_built_in(self) -> None:
        folder, self._built_in = self._built_in, None
        if folder is not None:
            self._places.update(_scan(folder, _PACKAGE))

    def _extend(self) -> None:
        """Look through all files; take in what is installed under the entry points, too."""
        self._scan_built_in()
        if self._extended:
            return
        self._extended = True
        from importlib.metadata import entry_points

        for point in entry_points(group=_ENTRY_POINTS):
            spec = importlib.util.find_spec(point.value)
            for folder in (spec.submodule_search_locations or ()) if spec else ():
                found = _scan(Path(folder), point.value)
                _refuse_taken(self._places, found)
                self._places.update(found)


def modules_beside(recipe: str) -> Path | None:
    """Return the folder ``modules/`` beside a recipe; None without one.

    runner's own modules do not count: neither those that run, nor their sources in a checkout.
    """
    folder = Path(recipe).resolve().parent / "modules"
    ours, theirs = _BUILT_IN / "__init__.py", folder / "__init__.py"
    own = theirs.is_file() and theirs.read_bytes() == ours.read_bytes()
    return folder if folder.is_dir() and not own else None


def _scan(folder: Path, package: str) -> dict[tuple[Kind, str], Place]:
    found: dict[tuple[Kind, str], Place] = {}
    for module, file in _files(folder, package):
        for key, place in _classes(module, file):
            if key in found:
                raise InputError([_twice(key, found[key], place)])
            found[key] = place
    return found


def _in_its_file(folder: Path, name: str) -> dict[tuple[Kind, str], Place]:
    """Return what the file of that name holds, in whichever family: a verb or driver has one of its own."""
    if not name.isidentifier():
        return {}
    return {
        key: place
        for file in (*folder.glob(f"*/{name}.py"), *folder.glob(f"*/{name}_.py"))
        for key, place in _classes(f"{_PACKAGE}.{file.parent.name}.{file.stem}", file)
        if key[1] == name
    }


def _files(folder: Path, package: str) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        if not any(part.startswith((".", "__pycache__")) for part in parts):
            yield ".".join((package, *(part for part in parts if part != "__init__"))), file


def _classes(module: str, file: Path) -> Iterator[tuple[tuple[Kind, str], Place]]:
    text = file.read_text(encoding="utf-8", errors="replace")
    for match in _CLASS.finditer(text):
        bases = [base.strip().rpartition(".")[2] for base in match[2].split(",")]
        if any(base.endswith("Module") for base in bases):
            yield ("module", name_of(match[1])), Place(module, match[1], str(file))
        elif any(base.endswith("Driver") for base in bases):
            yield ("driver", name_of(match[1])), Place(module, match[1], str(file))


def _make_package(name: str, folder: Path) -> None:
    """Make a package of a folder without touching sys.path, so that its files may import one another."""
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    package.__package__ = name
    sys.modules.setdefault(name, package)


def _imported(place: Place) -> type:
    with _blaming(place):
        found: type = getattr(importlib.import_module(place.module), place.cls)
    return found


@contextlib.contextmanager
def _blaming(place: Place) -> Iterator[None]:
    """Turn whatever a file raises while it is imported or read into a fault of that file."""
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError([_broken(place, error)]) from error


def _broken(place: Place, error: BaseException) -> Fault:
    at = Location(place.file, 1, 1)
    if isinstance(error, SyntaxError) and error.filename:
        at = Location(error.filename, error.lineno or 1, error.offset or 1)
    else:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == place.file]
        if own:
            at = Location(place.file, own[-1].lineno or 1, 1)
    hint = f"pip install {error.name}" if isinstance(error, ModuleNotFoundError) and error.name else ""
    return Fault(code="E211", message=f"{type(error).__name__}: {error}", at=at, hint=hint)


def _not_what_it_seems(place: Place, wanted: str) -> Fault:
    return Fault(
        code="E212", message=f"{place.cls} is not a {wanted} of runner.api", at=Location(place.file, 1, 1)
    )


def _refuse_taken(known: Mapping[tuple[Kind, str], Place], found: Mapping[tuple[Kind, str], Place]) -> None:
    faults = [_twice(key, known[key], place) for key, place in found.items() if key in known]
    if faults:
        raise InputError(faults)


def _twice(key: tuple[Kind, str], first: Place, second: Place) -> Fault:
    kind, name = key
    return Fault(
        code="E210",
        message=f"two classes for the {kind} {name!r}: in {first.file} and in {second.file}",
        at=Location(second.file, 1, 1),
        hint="rename one of them",
    )
