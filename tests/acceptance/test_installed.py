"""The wheel, installed where nothing of the checkout is."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from support.peers import ROOT


def run(*command: object, folder: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _copy(folder: Path) -> Path:
    """Copy what a wheel is made of: building leaves files behind in its folder."""
    folder.mkdir()
    for name in ("runner", "modules", "schemas"):
        shutil.copytree(
            ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a virtual environment with the wheel; the libraries are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, _copy(folder / "checkout"), folder=folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    (site,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    run(*pip, "install", "--no-deps", "--target", site, *folder.glob("*.whl"), folder=folder)
    libraries = sysconfig.get_path("purelib")
    code = f"import sys; sys.path.append({libraries!r})"
    (site / "libraries_of_the_tests.pth").write_text(code + "\n", encoding="utf-8")
    return folder / "venv" / "bin" / "python"


def test_it_plays_the_quickstart(python: Path, tmp_path: Path) -> None:
    said = run(python, "-m", "runner", "play", ROOT / "recipes" / "quickstart.yaml", folder=tmp_path)

    assert "10 passed" in said


def test_it_is_the_wheel_that_is_played(python: Path, tmp_path: Path) -> None:
    said = run(python, "-c", "import runner; print(runner.__file__)", folder=tmp_path)

    assert said.startswith(str(python.parents[1]))


def test_nobody_elses_package_of_modules_is_shadowed(python: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print(u.find_spec('modules'), u.find_spec('schemas'))"

    assert run(python, "-c", code, folder=tmp_path) == "None None\n"


def test_its_schemas_and_documentation_came_along(python: Path, tmp_path: Path) -> None:
    assert '"$schema"' in run(python, "-m", "runner", "schema", folder=tmp_path)
    assert "Example:" in run(python, "-m", "runner", "doc", "power_cycle", folder=tmp_path)
