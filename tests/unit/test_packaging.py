"""What is packed: the list in pyproject.toml is that of the folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomllib
from support.peers import ROOT

LINKED = {"runner.modules": "modules", "runner.schemas": "schemas"}


@pytest.fixture(scope="module")
def setuptools() -> dict[str, Any]:
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = read["tool"]["setuptools"]
    return found


def packages(folder: Path, name: str) -> set[str]:
    """Return the package in a folder and those below it; a link is not followed."""
    found = {name} if any(folder.glob("*.py")) else set()
    for below in folder.iterdir():
        if below.is_dir() and not below.is_symlink() and below.name != "__pycache__":
            found |= packages(below, f"{name}.{below.name}")
    return found


def test_every_folder_with_code_is_packed_and_no_other(setuptools: dict[str, Any]) -> None:
    expected = packages(ROOT / "runner", "runner")
    for name, folder in LINKED.items():
        expected |= packages(ROOT / folder, name)

    assert setuptools["packages"] == sorted(expected)


def test_every_package_has_its_init_file(setuptools: dict[str, Any]) -> None:
    folders = [ROOT / package.replace(".", "/") for package in setuptools["packages"]]

    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_file_that_is_not_code_is_packed(setuptools: dict[str, Any]) -> None:
    data = setuptools["package-data"]
    for package in setuptools["packages"]:
        folder = ROOT / package.replace(".", "/")
        packed = {path.name for pattern in data.get(package, []) for path in folder.glob(pattern)}
        there = {
            path.name for path in folder.iterdir() if path.is_file() and path.suffix not in {".py", ".pyc"}
        }
        assert there == packed, package


@pytest.mark.parametrize("name", sorted(LINKED))
def test_the_links_for_editors_lead_to_the_folders_that_are_packed(
    name: str, setuptools: dict[str, Any]
) -> None:
    link = ROOT / name.replace(".", "/")

    assert link.is_symlink()
    assert link.resolve() == ROOT / LINKED[name]
    assert setuptools["package-dir"][name] == LINKED[name]
