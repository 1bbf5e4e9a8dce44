"""What gets into the distribution is what is in the tree."""

import fnmatch
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[2]


def folders(root: Path, package: str) -> set[str]:
    found = {path.parent.relative_to(root) for path in root.rglob("*.py")}
    return {".".join((package, *folder.parts)) for folder in found}


def setuptools() -> dict[str, object]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, object] = tomllib.loads(text)["tool"]["setuptools"]
    return found


def test_every_folder_of_code_is_a_listed_package() -> None:
    own = folders(ROOT / "runner", "runner")
    linked = folders(ROOT / "modules", "runner.modules") | folders(ROOT / "schemas", "runner.schemas")

    assert setuptools()["packages"] == sorted(own | linked)


def test_every_other_file_is_listed() -> None:
    listed = setuptools()["package-data"]
    patterns = [pattern for several in listed.values() for pattern in several]  # type: ignore[attr-defined]
    others = [
        path for path in (ROOT / "runner").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]

    assert [
        path.name for path in others if not any(fnmatch.fnmatch(path.name, each) for each in patterns)
    ] == []
