"""The example recipes, played as a newcomer plays them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import runner
from support.outcomes import cases, events
from support.peers import GUEST, ROOT

RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))


def test_the_quickstart_passes_on_the_simulated_bench(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", str(ROOT / "recipes" / "quickstart.yaml"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "simulated: sim-01 (no hardware was behind them)" in done.stdout
    played = cases(tmp_path)
    assert len(played) == 10
    assert {each.kind for each in played.values()} == {"passed"}


@pytest.mark.peer("qemu")
def test_a_real_uboot_is_stopped_asked_and_read(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", str(ROOT / "recipes" / "qemu_uboot.yaml"), "--junit", "report.xml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    played = cases(tmp_path)
    assert {each.kind for each in played.values()} == {"passed"}
    assert "gets an address from the network" in played
    assert (tmp_path / "report.xml").read_bytes() == (tmp_path / "results/latest/junit.xml").read_bytes()
    raw = (tmp_path / "results/latest/console/qemu-uboot.board.console.raw").read_bytes()
    assert raw.startswith(b"\r\n\r\nU-Boot 20")
    assert raw.count(b"DRAM: ") == 1


@pytest.mark.peer("guest")
def test_a_real_linux_is_booted_and_logged_into(tmp_path: Path) -> None:
    recipe = str(ROOT / "recipes" / "qemu_linux.yaml")
    done = runner(
        tmp_path, "play", recipe, "-e", f"kernel={GUEST / 'Image'}", "-e", f"initrd={GUEST / 'initrd.gz'}"
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {each.kind for each in cases(tmp_path).values()} == {"passed"}
    measured = [each for event in events(tmp_path) for each in event.get("measures", ())]
    assert [each["name"] for each in measured] == ["boot_time"]
    assert "toor" not in (tmp_path / "results/latest/events.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_every_example_is_fine_without_its_hardware(tmp_path: Path, recipe: Path) -> None:
    for name in ("Image", "initrd.gz"):
        (tmp_path / name).touch()
    guest = {"GUEST_KERNEL": str(tmp_path / "Image"), "GUEST_INITRD": str(tmp_path / "initrd.gz")}
    done = runner(tmp_path, "check", str(recipe), **guest)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_guest_that_nobody_has_made_yet_is_told_with_what_makes_it(tmp_path: Path) -> None:
    for folder in ("recipes", "inventory"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    done = runner(tmp_path, "play", "recipes/qemu_linux.yaml")

    assert done.returncode == 2
    assert "error[E512]: no such file: " in done.stderr
    assert "an arm64 kernel (`make guest` makes one): add -e kernel=…, or set GUEST_KERNEL" in done.stderr


def test_the_package_is_a_command_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runner", "check", str(ROOT / "recipes" / "quickstart.yaml")],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
