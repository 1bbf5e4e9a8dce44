"""The package as pip installs it from a wheel, away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from support.peers import ROOT
from support.reports import Report

LIMIT = 300


def ran(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV", "CI"}
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


def built(folder: Path) -> Path:
    """Build a wheel from a copy of the sources, as `pip install .` does."""
    source = folder / "source"
    for name in ("runner", "modules", "schemas"):
        shutil.copytree(
            ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    done = ran(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source), folder=folder
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new environment; the libraries are those of the tests'.

    Nothing is downloaded but the build backend, which `pip install .` needs, too.
    """
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    site = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    wheel = built(folder)
    install = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install"]
    done = ran(*install, "-q", "--no-deps", "--no-index", str(wheel), folder=folder)
    assert done.returncode == 0, done.stderr
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return environment / "bin"


def test_it_plays_the_quickstart_from_another_folder(installed: Path, tmp_path: Path) -> None:
    for name in ("recipes", "inventory"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "elsewhere").mkdir()
    done = ran(str(installed / "runner"), "play", "../recipes/quickstart.yaml", folder=tmp_path / "elsewhere")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "10 passed in " in done.stdout
    report = Report(tmp_path / "elsewhere" / "results" / "latest")
    report.assert_valid()
    assert (report.folder / "report.html").stat().st_size > 1000


def test_it_is_not_the_checkout_and_puts_no_package_called_modules_anywhere(
    installed: Path, tmp_path: Path
) -> None:
    python = str(installed / "python")
    shown = ran(python, "-c", "import runner; print(runner.__file__)", folder=tmp_path)
    modules = ran(python, "-c", "import modules", folder=tmp_path)
    schemas = ran(python, "-c", "import schemas", folder=tmp_path)

    assert shown.stdout.startswith(str(installed.parent)), shown
    assert "ModuleNotFoundError: No module named 'modules'" in modules.stderr
    assert "ModuleNotFoundError: No module named 'schemas'" in schemas.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("doc", "power_cycle"), "power_cycle"),
        (("doc", "E231"), "E231"),
        (("schema", "recipe"), "power_cycle"),
        (("list", "modules", "-o", "name"), "uboot_enter"),
        (("list", "drivers", "-o", "name"), "qemu"),
        (("version",), "runner 0."),
    ],
)
def test_everything_it_knows_about_itself_is_in_it(
    installed: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = ran(str(installed / "runner"), *arguments, folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout


@pytest.mark.parametrize("name", ["configuration", "events", "inventory", "recipe", "results"])
def test_the_schemas_are_in_it(installed: Path, tmp_path: Path, name: str) -> None:
    code = f"from importlib.resources import files; print(files('runner.schemas') / '{name}.schema.json')"
    done = ran(str(installed / "python"), "-c", code, folder=tmp_path)

    found = Path(done.stdout.strip())
    assert found.read_bytes() == (ROOT / "schemas" / f"{name}.schema.json").read_bytes()
    assert found.is_relative_to(installed.parent)


@pytest.mark.parametrize("command", [("list", "modules"), ("check", "recipe.yaml")], ids=" ".join)
def test_in_a_checkout_it_takes_its_own_sources_for_no_modules_of_the_users(
    installed: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    shutil.copytree(ROOT / "modules", tmp_path / "modules", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "modules/power/power_on.py").open("a", encoding="utf-8") as file:
        file.write("# a line that the installed one has not\n")
    (tmp_path / "recipe.yaml").write_text("benches: all\nsteps: [{no_such_verb: 1}]\n", encoding="utf-8")
    done = ran(str(installed / "runner"), *command, folder=tmp_path)

    assert "two classes" not in done.stderr
    assert done.returncode == (2 if command[0] == "check" else 0), done.stderr
