"""What modules and drivers need on a host that has only Python: sources, found by following imports."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

Sources = Mapping[str, tuple[str, str]]
_OURS = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(
    r"^([ \t]*)(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)
_FOR_TYPES = re.compile(r"^if (?:typing\.)?TYPE_CHECKING:\n(?:[ \t]+.*\n|\n)*", re.MULTILINE)
_NAME = re.compile(r"\w+")
_TESTS = frozenset({"test", "tests", "testing"})


def source_closure(roots: Iterable[str], own: Sources, *, lazy: bool = True) -> dict[str, tuple[str, str]]:
    """Return the sources of these Python modules and of all that they import: name to (file, source).

    `own` are the user's modules. Libraries are taken whole, with the distributions that
    they require; what is compiled cannot travel and is left out. Without `lazy`, imports
    within functions are not followed.
    """
    found: dict[str, tuple[str, str]] = {}
    libraries: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] in sys.stdlib_module_names:
            continue
        source = own.get(name) or _ours(name)
        if source is None:
            libraries.add(name.partition(".")[0])
            continue
        found[name] = source
        waiting += _above(name)
        waiting += imports(source[1], name, package=source[0].endswith("__init__.py"), lazy=lazy)
    for library in _required(libraries - {"runner"} - {name.partition(".")[0] for name in own}):
        found.update(_library(library))
    return found


def imports(source: str, name: str, *, package: bool, lazy: bool = True) -> Iterator[str]:
    r"""Return what a module's source imports, whether submodules or names in them.

    Found line by line, ten times faster than by parsing; a line of a docstring that looks
    like an import adds at most a library that nobody needs.

    >>> sorted(imports("import os.path\nfrom . import b", "lab.a", package=False))
    ['lab', 'lab.b', 'os.path']
    """
    for indent, origin, names, modules in _IMPORT.findall(_FOR_TYPES.sub("", source)):
        if indent and not lazy:
            continue
        for module in modules.split(","):
            yield from module.split()[:1]
        if origin:
            level = len(origin) - len(origin.lstrip("."))
            base = _base(name, level, package=package)
            whole = ".".join(filter(None, (base, origin[level:])))
            yield whole
            yield from (f"{whole}.{each}" for each in _NAME.findall(names))


def _base(name: str, level: int, *, package: bool) -> str:
    parts = name.split(".")
    return ".".join(parts[: len(parts) - level + package]) if level else ""


def _above(name: str) -> list[str]:
    parts = name.split(".")[:-1]
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _ours(name: str) -> tuple[str, str] | None:
    if name.partition(".")[0] != "runner":
        return None
    stem = _OURS.joinpath(*name.split(".")[1:])
    for file in (stem / "__init__.py", stem.with_suffix(".py")):
        if file.is_file() and stem != _OURS.with_suffix(".py"):
            return str(file), _text(file)
    return None


def _library(name: str) -> dict[str, tuple[str, str]]:
    """Return every source of a library that is installed here; nothing for what is not or has none."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return {}
    file = Path(spec.origin)
    if spec.submodule_search_locations is None:
        return {name: (str(file), _text(file))}
    return {
        ".".join((name, *(part for part in parts if part != "__init__"))): (str(each), _text(each))
        for each in sorted(file.parent.rglob("*.py"))
        if not _TESTS & set(parts := each.relative_to(file.parent).with_suffix("").parts)
    }


def _required(libraries: Collection[str]) -> set[str]:
    """Add the libraries that these require, as their distributions say it, as far as they are installed."""
    found: set[str] = set()
    waiting = set(libraries)
    while waiting:
        name = waiting.pop()
        found.add(name)
        for distribution in _distributions().get(name, ()):
            for line in metadata.requires(distribution) or ():
                if "extra ==" not in line:
                    waiting |= _names_of(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) - found
    return found


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _names_of(distribution: str) -> set[str]:
    wanted = _normal(distribution)
    return {
        name for name, each in _distributions().items() if any(wanted == _normal(known) for known in each)
    }


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _text(file: Path) -> str:
    with tokenize.open(file) as opened:
        return opened.read()
