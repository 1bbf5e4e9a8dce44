"""The acceptance of a Raspberry Pi 4: played whole, and with each of its parts gone wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.command import runner
from support.peers import ROOT
from support.reports import Report
from support.software_tpm import software_tpm
from support.speed_line import SpeedLine

RECIPE = str(ROOT / "recipes/rpi4_acceptance.yaml")
FIRST_BOOT = "the first boot grows the file system and comes back"
TPM_THERE = "the TPM is there, and its random numbers differ"
SIGNS = "the TPM signs, and verifies what it has signed"
REFUSES = "the TPM refuses a message that was changed"
SCREEN = "the screen shows the desktop"
LAMPS = "the camera sees both lamps lit"
SHUTDOWN = "it shuts down cleanly, and only then loses its power"
CASES = [FIRST_BOOT, TPM_THERE, SIGNS, REFUSES, SCREEN, LAMPS, SHUTDOWN]
FAULTY = "test_what_is_broken_is_named_and_nothing_else"
Played = tuple[subprocess.CompletedProcess[str], Report]
QUICK = {"firmware": {"bootdelay": 0}, "system": {"boot_time": "100ms", "first_boot": True}}


@dataclass(frozen=True)
class Fault:
    """What is planted, and what the report has to say of it.

    `failed` and `errors` are cases; those after them that need them are skipped, all others pass.
    """

    says: tuple[str, ...]
    failed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    instruments: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


AFTER_BOOT = tuple(each for each in CASES if each != FIRST_BOOT)
FAULTS = {
    "no tpm": Fault(
        instruments={"tpm": "absent"},
        failed=(TPM_THERE,),
        skipped=(SIGNS, REFUSES),
        says=("exit status 1, expected 0: test -e /dev/tpmrm0",),
    ),
    "a tpm that is broken": Fault(
        instruments={"tpm": "broken"},
        failed=(TPM_THERE,),
        skipped=(SIGNS, REFUSES),
        says=("exit status 1, expected 0: tpm2_getrandom", "because of a TPM failure"),
    ),
    "a tpm that signs wrongly, with status 0": Fault(
        instruments={"tpm": "signs_wrongly"},
        failed=(SIGNS,),
        skipped=(REFUSES,),
        says=("command 9 of 9 ended with status 1, expected 0: tpm2_verifysignature", "is not valid"),
    ),
    "no card": Fault(
        instruments={"card": "absent"},
        errors=tuple(CASES),
        says=("'pi.storage' on bench 'pi'", "reader of the simulated mux is empty"),
    ),
    "a mux that does not move": Fault(
        instruments={"card": "stuck"},
        errors=tuple(CASES),
        says=("'pi.storage' on bench 'pi'", "which still reads 'dut'"),
    ),
    "a mux that does not answer": Fault(
        instruments={"card": "refuses"},
        errors=tuple(CASES),
        says=(
            "'pi.storage' on bench 'pi'",
            "could not be switched to 'host': the simulated mux does not answer",
        ),
    ),
    "a card that forgets": Fault(
        instruments={"card": "forgets"},
        failed=(FIRST_BOOT,),
        skipped=AFTER_BOOT,
        says=("'(?i)resiz", "limit: expect_console's within of 2s", "Bad Linux ARM64 Image magic!"),
        variables={"max_boot": "2s"},
    ),
    "another image than the one that was meant": Fault(
        failed=(FIRST_BOOT,),
        skipped=AFTER_BOOT,
        says=("6.6.51-rpi-v8", "6.7.0"),
        variables={"release": "6.7.0"},
    ),
    "a kernel that panics": Fault(
        faults={"panic_after": "50ms"},
        failed=(FIRST_BOOT,),
        skipped=AFTER_BOOT,
        says=("Kernel panic",),
        variables={"max_boot": "5s"},
    ),
    "no signal": Fault(
        instruments={"hdmi": "no_signal"},
        failed=(SCREEN,),
        says=("'pi.hdmi' has no signal", "is the screen on, and the cable in?"),
        variables={"look": "300ms"},
    ),
    "a screen that hangs": Fault(
        instruments={"hdmi": "frozen"},
        failed=(SHUTDOWN,),
        says=("'pi.hdmi' has a signal, expected none, within 300ms",),
        variables={"look": "300ms"},
    ),
    "no camera": Fault(
        instruments={"camera": "unplugged"},
        errors=(LAMPS, SHUTDOWN),
        says=("the simulated camera is not there", "is its USB cable in?"),
    ),
    "a camera that hangs": Fault(
        instruments={"camera": "frozen"},
        failed=(SHUTDOWN,),
        says=("'pi.camera' shows what differs", "side_by_side: halted-"),
        variables={"look": "300ms"},
    ),
    "a system that never ends": Fault(
        faults={"poweroff_hangs": True},
        failed=(SHUTDOWN,),
        says=("result.how == 'power down'", "'silence'"),
        variables={"silence": "500ms"},
    ),
    "an outlet that lies": Fault(
        faults={"relay": "lies"},
        failed=(SHUTDOWN,),
        says=("'pi.camera' shows what differs", "'dark.jpg'"),
        variables={"look": "300ms"},
    ),
}


def bench(folder: Path, fault: Fault, **options: str) -> str:
    """Write an inventory with the fault; return its path."""
    pi = {"driver": "sim_rpi4", **QUICK, **options, "instruments": fault.instruments, "faults": fault.faults}
    parts = {part: {"ref": f"pi.{part}"} for part in ("power", "console", "storage", "hdmi", "camera")}
    one = {
        "labels": {"board": "rpi4"},
        "vars": {"settle": "0s", "wait_device": "300ms"},
        "devices": {"pi": pi, **parts},
    }
    (folder / "lab.yaml").write_text(yaml.safe_dump({"benches": {"pi": one}}), encoding="utf-8")
    return "lab.yaml"


def test_a_board_passes_and_its_pictures_and_numbers_are_in_the_report(tmp_path: Path) -> None:
    done = runner(tmp_path, "play", RECIPE, "-i", bench(tmp_path, Fault(says=())))

    report = Report(tmp_path / "results/latest")
    report.assert_valid()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert report.outcomes == dict.fromkeys(CASES, "passed")
    kept = {each.name for each in (report.folder / "artifacts/pi").iterdir()}
    assert {"desktop.jpg", "board.jpg"} <= kept
    signing = report.cases[SIGNS].findtext("system-out") or ""
    assert "measure signing_time" in signing
    console = (report.folder / "console/pi.pi.console.raw").read_bytes()
    assert console.count(b"U-Boot SPL") == 2
    assert b"reboot: Power down" in console


def broken(folder: Path, fault: Fault) -> Played:
    given = [word for name, value in fault.variables.items() for word in ("-e", f"{name}={value}")]
    done = runner(folder, "play", RECIPE, "-i", bench(folder, fault), *given)
    return done, Report(folder / "results/latest")


@pytest.fixture(scope="module")
def plays(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Played]]]:
    """Play with each fault that is asked for, a few at a time: they mostly wait."""
    nodes = {item.nodeid for item in request.session.items}
    asked = [
        name for name in FAULTS if any(node.endswith(f"test_rpi4.py::{FAULTY}[{name}]") for node in nodes)
    ]
    with ThreadPoolExecutor(max_workers=3) as pool:
        yield {name: pool.submit(broken, tmp_path_factory.mktemp("fault"), FAULTS[name]) for name in asked}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_broken_is_named_and_nothing_else(name: str, plays: dict[str, Future[Played]]) -> None:
    fault, (done, report) = FAULTS[name], plays[name].result()
    bad = {
        **dict.fromkeys(fault.failed, "failed"),
        **dict.fromkeys(fault.errors, "error"),
        **dict.fromkeys(fault.skipped, "skipped"),
    }
    assert report.outcomes == {**dict.fromkeys(CASES, "passed"), **bad}, done.stdout
    assert done.returncode == (3 if fault.errors else 1)
    blamed = next(case for case in CASES if bad.get(case) in ("failed", "error"))
    for words in fault.says:
        assert words in report.problem(blamed)


def test_a_checksum_that_does_not_fit_is_found_before_the_card_is_touched(tmp_path: Path) -> None:
    (tmp_path / "other.sha256").write_text(f"{'0' * 64}  rpi4.img.xz\n", encoding="utf-8")
    given = ("-e", f"checksum={tmp_path / 'other.sha256'}")
    done = runner(tmp_path, "play", RECIPE, "-i", bench(tmp_path, Fault(says=())), *given)

    assert done.returncode != 0
    problem = Report(tmp_path / "results/latest").problem(FIRST_BOOT)
    assert "rpi4.img.xz has the SHA-256" in problem
    assert "Nothing was written" in problem
    assert not list((tmp_path / "results/latest/console").glob("*.raw")), "the board was never started"


def test_in_check_mode_the_board_is_looked_at_and_nothing_moves(tmp_path: Path) -> None:
    (tmp_path / "card.img").write_bytes(b"SIMOS 1.2.3\n".ljust(1 << 20, b"x"))
    lab = bench(tmp_path, Fault(says=()), image="card.img", capacity="1MiB")
    before = (tmp_path / "card.img").read_bytes()
    done = runner(tmp_path, "play", RECIPE, "-i", lab, "--check")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "would look until it is so: it differs by " in done.stdout
    assert "it is as it must be" in done.stdout
    assert "would run flash" in done.stdout
    assert (tmp_path / "card.img").read_bytes() == before
    assert not (tmp_path / "results/latest/console/pi.pi.console.raw").exists()


@contextmanager
def shell_on_a_line(environment: dict[str, str]) -> Iterator[str]:
    """Start a shell on a serial line; give the other end's path."""
    line = SpeedLine()
    terminal = os.open(line.theirs, os.O_RDWR | os.O_NOCTTY)
    shell = subprocess.Popen(
        ["setsid", "--ctty", "sh", "-c", "stty sane 115200; exec sh -i"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    )
    os.close(terminal)
    try:
        yield line.ours
    finally:
        shell.kill()
        shell.wait()
        line.close()


REAL = """\
name: A real TPM
import: [tpm.yaml]
benches: lab
tests:
  - test: it signs
    steps:
      - console_login: nobody
      - tpm_sign: {{folder: "{folder}"}}
        expect: result.commands | map(attribute='status') | unique | list == [0]
  - test: it does not sign where it may not
    steps:
      - tpm_sign: {{folder: "{folder}/nowhere"}}
"""


@pytest.mark.peer("tpm")
def test_the_same_action_signs_with_the_real_tools_and_a_software_tpm(tmp_path: Path) -> None:
    shutil.copy(ROOT / "recipes/lib/tpm.yaml", tmp_path)
    (tmp_path / "recipe.yaml").write_text(REAL.format(folder=tmp_path), encoding="utf-8")
    with software_tpm(tmp_path) as environment, shell_on_a_line(environment) as port:
        lab = {"benches": {"lab": {"devices": {"console": {"driver": "serial", "port": port}}}}}
        (tmp_path / "lab.yaml").write_text(yaml.safe_dump(lab), encoding="utf-8")
        done = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")

    report = Report(tmp_path / "results/latest")
    assert report.outcomes == {"it signs": "passed", "it does not sign where it may not": "failed"}, (
        done.stdout
    )
    assert "tpm2_createprimary" in report.problem("it does not sign where it may not")
    assert (tmp_path / "signature").stat().st_size > 256
