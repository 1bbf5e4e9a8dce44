"""The recipes that come with the project, played as a person plays them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import CLEAN, LIMIT, RUNNER
from support.peers import ROOT
from support.reports import Report

SCRIPT = [str(Path(sys.executable).with_name("runner"))]
WAYS = [pytest.param(SCRIPT, id="runner"), pytest.param(RUNNER, id="python -m runner")]
QUICKSTART = [
    "U-Boot stops and answers",
    "boots into the flashed image in time",
    *(
        f"every sensor answers[sensor={sensor},rate={rate}]"
        for sensor, rate in (("temp", 10), ("temp", 100), ("accel", 10), ("accel", 100), ("light", 10))
    ),
    "the kernel has nothing to complain about",
    "the control unit answers on CAN",
    "takes no more than three watts",
]
UBOOT = [
    "comes to its prompt in time",
    "reports the status of a command",
    *(
        f"keeps variables with every kind of value[value={value}]"
        for value in ("plain", "with space", 'it\'s $quoted; "twice"', "1107296256")
    ),
    "reads back what it writes to memory",
    "gets an address from the network",
]
LINUX = [
    "boots in time",
    "returns output and status of commands",
    "cuts kernel messages out of the output",
    "sees its disk",
]
NETBOOT = ["boots from the network", "says what is wrong with an image"]
DIAGNOSTICS = [
    "a write is refused until the control unit is unlocked",
    "a reset locks it again and keeps what was written",
    "its trouble codes are counted, read and cleared",
    "software is downloaded and read back",
]
RPI4 = [
    "the first boot grows the file system and comes back",
    "the TPM is there, and its random numbers differ",
    "the TPM signs, and verifies what it has signed",
    "the TPM refuses a message that was changed",
    "the screen shows the desktop",
    "the camera sees both lamps lit",
    "it shuts down cleanly, and only then loses its power",
]
PLAYED = [
    pytest.param("quickstart", QUICKSTART, "sim-01", id="quickstart"),
    pytest.param("uds_diagnostics", DIAGNOSTICS, "ecu-sim", id="uds_diagnostics"),
    pytest.param("rpi4_acceptance", RPI4, "rpi4-sim", id="rpi4_acceptance"),
    pytest.param("qemu_uboot", UBOOT, "qemu-uboot", id="qemu_uboot", marks=pytest.mark.peer("qemu")),
    pytest.param("qemu_netboot", NETBOOT, "qemu-netboot", id="qemu_netboot", marks=pytest.mark.peer("guest")),
    pytest.param("qemu_linux", LINUX, "qemu-linux", id="qemu_linux", marks=pytest.mark.peer("guest")),
]


def run(command: list[str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**CLEAN, "CI": ""},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.parametrize("command", WAYS)
@pytest.mark.parametrize(("name", "cases", "bench"), PLAYED)
def test_a_recipe_of_the_project_passes_and_ci_can_read_its_report(
    tmp_path: Path, command: list[str], name: str, cases: list[str], bench: str
) -> None:
    recipe = str(ROOT / "recipes" / f"{name}.yaml")
    done = run(command, tmp_path, "play", recipe, "--junit", "report.xml", "--results", "kept")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    report = Report(tmp_path / "kept" / "latest")
    report.assert_valid()
    assert report.outcomes == dict.fromkeys(cases, "passed")
    assert [each["case"] for each in report.result()["cases"]] == [
        f"{name}::{case}@{bench}" for case in cases
    ]
    assert (tmp_path / "report.xml").read_bytes() == report.junit.read_bytes()
    assert f"{len(cases)} passed in " in done.stdout
    assert f"simulated: {bench}" in done.stdout


@pytest.mark.parametrize(("name", "cases", "bench"), PLAYED[:1])
def test_the_folder_of_a_run_holds_all_that_happened(
    tmp_path: Path, name: str, cases: list[str], bench: str
) -> None:
    run(RUNNER, tmp_path, "play", str(ROOT / "recipes" / f"{name}.yaml"))

    folder = tmp_path / "results" / "latest"
    report = Report(folder)
    kept = report.result()
    assert (kept["exit_code"], kept["counts"]) == (0, {"passed": len(cases)})
    assert {"events.jsonl", "results.json", "junit.xml", "report.html", "console"} <= {
        each.name for each in folder.iterdir()
    }
    raw = (folder / "console" / f"{bench}.board.console.raw").read_bytes()
    assert b"U-Boot 20" in raw
    assert b"Linux version 6.6.30-nightly" in raw
    shown = report.cases["boots into the flashed image in time"].findtext("system-out") or ""
    assert f"case: {name}::boots into the flashed image in time@{bench}" in shown
    assert "recipes/quickstart.yaml:" in shown
    assert "measure boot_time: " in shown
    assert "Linux version 6.6.30-nightly" in shown


@pytest.mark.peer("guest")
def test_every_recipe_of_the_project_is_fine(tmp_path: Path) -> None:
    recipes = sorted(str(path) for path in (ROOT / "recipes").glob("*.yaml"))
    done = run(RUNNER, tmp_path, "check", *recipes)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": fine: ") == len(recipes) >= 3


def test_a_clone_without_the_guest_is_told_once_how_to_make_it(tmp_path: Path) -> None:
    for folder in ("recipes", "inventory"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    done = run(RUNNER, tmp_path, "check", "recipes/qemu_linux.yaml")

    assert done.returncode == 2
    assert done.stderr.count("error[") == 1
    assert f"error[E512]: no such file: {tmp_path / '.cache' / 'guest'}{os.linesep}" in done.stderr
    assert "`make guest` makes it" in done.stderr
