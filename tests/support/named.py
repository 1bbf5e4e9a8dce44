"""What a test is made of: its function, and everything of its file and of tests/support that it uses."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.peers import ROOT

_WORD = re.compile(r"\w+")
_RECIPE = re.compile(r"\b[\w-]+\.yaml\b")


def there(path: str, test: str) -> bool:
    """Tell whether a file has a test of that name."""
    return test.startswith("test_") and (ROOT / path).exists() and test in _tops(ROOT / path)[0]


@functools.cache
def made_of(path: str, test: str) -> str:
    """Return all of a test's own source, with the recipes of this repository that it names."""
    source = "\n".join(_reached(ROOT / path, test, set()))
    known = _recipes()
    return "\n".join([source, *(known[name] for name in set(_RECIPE.findall(source)) if name in known)])


def _reached(file: Path, name: str, seen: set[tuple[Path, str]]) -> Iterator[str]:
    """Go from a name at the top of a file to each name that its source has."""
    if (file, name) in seen:
        return
    seen.add((file, name))
    tops, imports = _tops(file)
    if name in imports:
        yield from _reached(*imports[name], seen)
    for source in tops.get(name, ()):
        yield source
        for word in sorted(set(_WORD.findall(source))):
            yield from _reached(file, word, seen)


@functools.cache
def _tops(file: Path) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[Path, str]]]:
    """Return what stands at the top of a file: each name's source, and what comes from tests/support."""
    lines = file.read_text(encoding="utf-8").splitlines()
    tops: dict[str, tuple[str, ...]] = {}
    imports: dict[str, tuple[Path, str]] = {}
    for node in ast.parse("\n".join(lines)).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("support."):
            origin = ROOT.joinpath("tests", *(node.module or "").split(".")).with_suffix(".py")
            imports |= {each.asname or each.name: (origin, each.name) for each in node.names}
        decorators = getattr(node, "decorator_list", ())
        first = min([node.lineno, *(each.lineno for each in decorators)])
        source = "\n".join(lines[first - 1 : node.end_lineno])
        for name in _names(node):
            tops[name] = (*tops.get(name, ()), source)
    return tops, imports


def _names(node: ast.stmt) -> Iterator[str]:
    """Return the names that a statement at the top of a file makes."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name) and _stored(each))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


@functools.cache
def _recipes() -> Mapping[str, str]:
    return {each.name: each.read_text(encoding="utf-8") for each in (ROOT / "recipes").rglob("*.yaml")}
