"""Recipes as text, read with the modules of this folder and checked against benches made here."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.benches import bench

from runner.errors import Fault, InputError
from runner.model import Bench, Recipe
from runner.recipe.read import read_recipe
from runner.recipe.static import check_names
from runner.registry import Registry
from runner.template import Templates

Write = Callable[..., Path]
Read = Callable[[str], Recipe]
Say = Callable[..., list[str]]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Know the modules of the tests and no others."""
    return Registry({}).with_folder(str(Path(__file__).parent / "modules"))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write files into an empty folder that is the current one; return the first."""
    monkeypatch.chdir(tmp_path)

    def made(text: str, name: str = "recipe.yaml", **others: str) -> Path:
        files = {name: text, **{path.replace("__", "/") + ".yaml": body for path, body in others.items()}}
        for path, body in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(body).lstrip("\n"), encoding="utf-8")
        return Path(name)

    return made


@pytest.fixture
def read(write: Write, registry: Registry) -> Callable[..., Recipe]:
    """Read a recipe that is right."""

    def made(text: str, **others: str) -> Recipe:
        return read_recipe(str(write(text, **others)), registry)

    return made


@pytest.fixture
def faults(write: Write, registry: Registry) -> Say:
    """Read a recipe that is wrong; return what is said of it."""

    def made(text: str, **others: str) -> list[str]:
        with pytest.raises(InputError) as caught:
            read_recipe(str(write(text, **others)), registry)
        return [said(fault) for fault in caught.value.faults]

    return made


@pytest.fixture
def checked(read: Callable[..., Recipe]) -> Say:
    """Check the names of a recipe that reads well; return what is said of it, if anything."""

    def made(
        text: str,
        benches: tuple[Bench, ...] | None = None,
        extra: Mapping[str, object] | None = None,
        **others: str,
    ) -> list[str]:
        recipe = read(text, **others)
        chosen = (bench(),) if benches is None else benches
        try:
            check_names(
                recipe, {index: chosen for index, _ in enumerate(recipe.plays)}, extra or {}, Templates()
            )
        except InputError as error:
            return [said(fault) for fault in error.faults]
        return []

    return made


def said(fault: Fault) -> str:
    """Write a fault as ``file:line:column+length CODE message | hint | chain``."""
    place = f"{fault.at}+{fault.at.length}" if fault.at else "nowhere"
    chain = "".join(f" | {text} {at}" for text, at in fault.chain)
    return f"{place} {fault.code} {fault.message}" + (f" | {fault.hint}" if fault.hint else "") + chain
