"""Each fault gets the status, the exit code and the words that it deserves; QEMU is the board."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.command import LIMIT, interrupt, runner, started, wait_until
from support.peers import GUEST, UBOOT
from support.processes import named
from support.reports import KINDS, Report

QEMU = f"""\
benches:
  uboot: {{devices: {{board: {{driver: qemu, bios: {UBOOT}, disk: {{capacity: 1MiB}}}}}}}}
  other_prompt:
    devices:
      board: {{driver: qemu, bios: {UBOOT}, settings: {{uboot: {{prompt: "uboot# "}}}}}}
  no_program: {{devices: {{board: {{driver: qemu, binary: qemu-system-nosuch, bios: {UBOOT}}}}}}}
  no_bios: {{devices: {{board: {{driver: qemu, bios: nosuch.bin}}}}}}
  linux:
    devices:
      board:
        driver: qemu
        kernel: {GUEST / "Image"}
        initrd: {GUEST / "initrd.gz"}
        append: console=ttyAMA0
"""
ENTER = "uboot_enter: {off_time: 100ms, within: 60s}"


@dataclass(frozen=True)
class Case:
    """A case of JUnit; `kind` is ``passed``, ``failed``, ``error`` or ``skipped``."""

    kind: str
    type: str = ""
    message: str = ""
    text: str = ""


def cases(folder: Path) -> dict[str, Case]:
    report = Report(folder / "results" / "latest")
    report.assert_valid()
    found: dict[str, Case] = {}
    for name, element in report.cases.items():
        bad = next((child for child in element if child.tag in KINDS), None)
        found[name] = (
            Case("passed")
            if bad is None
            else Case(KINDS[bad.tag], bad.get("type", ""), bad.get("message", ""), bad.text or "")
        )
    return found


def kill(process: subprocess.Popen[str], program: str) -> None:
    (found,) = named(process.pid, program)
    os.kill(found, signal.SIGKILL)


def played(
    folder: Path, text: str, inventory: str = QEMU
) -> tuple[subprocess.CompletedProcess[str], dict[str, Case]]:
    (folder / "lab.yaml").write_text(inventory, encoding="utf-8")
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    done = runner(folder, "play", "recipe.yaml", "-i", "lab.yaml")
    return done, cases(folder)


def alone(bench: str, *steps: str) -> str:
    lines = "".join(f"      - {step}\n" for step in steps)
    return f"benches: {bench}\ntests:\n  - test: it\n    steps:\n{lines}"


# --- a real U-Boot -------------------------------------------------------------------------------


@pytest.mark.peer("qemu")
def test_a_command_that_fails_is_the_boards_failure(tmp_path: Path) -> None:
    done, found = played(tmp_path, alone("uboot", ENTER, "uboot_cmd: 'false'"))

    assert done.returncode == 1
    assert (found["it"].kind, found["it"].type) == ("failed", "assertion")
    assert found["it"].message == "exit status 1, expected 0: false"
    assert "recipe.yaml:6:9" in found["it"].text
    assert "=> false" in found["it"].text


@pytest.mark.peer("qemu")
def test_a_prompt_that_never_comes_is_told_with_the_limit_and_the_last_lines(tmp_path: Path) -> None:
    done, found = played(tmp_path, alone("other_prompt", ENTER.replace("60s", "5s")))

    assert done.returncode == 1
    assert found["it"].kind == "failed"
    assert "no prompt 'uboot# ' that answers within" in found["it"].message
    assert "limit: uboot_enter's within of 5s (recipe.yaml:" in found["it"].text
    assert "=> " in found["it"].text


@pytest.mark.peer("qemu")
def test_a_machine_that_is_killed_is_the_labs_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(QEMU, encoding="utf-8")
    killed = alone("uboot", ENTER, "uboot_cmd: {command: sleep 100, timeout: 110s}")
    again = f"  - test: another\n    steps:\n      - {ENTER}\n      - uboot_cmd: version\n"
    (tmp_path / "recipe.yaml").write_text(killed + again, encoding="utf-8")
    process = started(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    console = tmp_path / "results/latest/console/uboot.board.console.raw"
    wait_until(lambda: console.exists() and b"sleep 100" in console.read_bytes(), "the command is typed")
    kill(process, "qemu-system-aarch64")
    output, _ = process.communicate(timeout=LIMIT)

    assert process.returncode == 3, output
    found = cases(tmp_path)
    assert (found["it"].kind, found["it"].type) == ("error", "LabError")
    assert "'board.console': QEMU has ended by itself, killed by SIGKILL" in found["it"].message
    assert "power_cycle starts it again" in found["it"].text
    assert found["another"].kind == "passed"


@pytest.mark.peer("qemu")
@pytest.mark.parametrize(
    ("bench", "message", "hint"),
    [
        (
            "no_program",
            "cannot start 'qemu-system-nosuch': No such file or directory",
            "hint: is it installed on the bench's host, and on PATH?",
        ),
        ("no_bios", "QEMU does not start: qemu-system-aarch64: Could not find ROM image 'nosuch.bin'", ""),
    ],
)
def test_a_machine_that_cannot_start_is_the_labs_error(
    tmp_path: Path, bench: str, message: str, hint: str
) -> None:
    done, found = played(tmp_path, alone(bench, ENTER))

    assert done.returncode == 3
    blamed = f"'board.power' on bench {bench!r} could not be switched on: {message}"
    assert (found["it"].type, found["it"].message) == ("LabError", blamed)
    assert hint in found["it"].text


@pytest.mark.peer("qemu")
def test_a_crash_of_uboot_is_named_long_before_its_command_times_out(tmp_path: Path) -> None:
    crash = "uboot_cmd: {command: md.q 0xffff000000000000 1, timeout: 60s}"
    done, found = played(tmp_path, alone("uboot", ENTER, crash))

    assert done.returncode == 1
    assert found["it"].kind == "failed"
    assert "'board.console': U-Boot resets the board: 'resetting ...' (line " in found["it"].message
    raw = (tmp_path / "results/latest/console/uboot.board.console.raw").read_bytes()
    assert b'"Synchronous Abort" handler' in raw


# --- a real Linux ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linux(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[subprocess.CompletedProcess[str], dict[str, Case]]:
    """Return what came of a Linux that fails a command and then panics."""
    text = (
        "benches: linux\n"
        "setup:\n"
        "  - power_cycle: {off_time: 100ms}\n"
        "  - console_login: {password: toor, within: 90s}\n"
        "tests:\n"
        "  - test: fails\n    steps: [{console_cmd: ls /nosuch}]\n"
        "  - test: panics\n"
        "    steps: [{console_cmd: {command: echo c > /proc/sysrq-trigger, timeout: 60s}}]\n"
    )
    return played(tmp_path_factory.mktemp("linux"), text)


@pytest.mark.peer("guest")
def test_a_command_that_fails_shows_its_output(
    linux: tuple[subprocess.CompletedProcess[str], dict[str, Case]],
) -> None:
    done, found = linux

    assert done.returncode == 1
    assert found["fails"].message == "exit status 1, expected 0: ls /nosuch"
    assert "ls: /nosuch: No such file or directory" in found["fails"].text


@pytest.mark.peer("guest")
def test_a_kernel_that_panics_is_the_boards_failure_with_its_last_words(
    linux: tuple[subprocess.CompletedProcess[str], dict[str, Case]],
) -> None:
    _done, found = linux

    assert found["panics"].kind == "failed"
    assert "'board.console': kernel panic: 'Kernel panic - not syncing: sysrq" in found["panics"].message
    assert "Kernel panic - not syncing: sysrq triggered crash" in found["panics"].text


@pytest.mark.peer("guest")
def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    text = alone("linux", "power_on:", "console_login: {password: wrong, within: 90s}")
    done, found = played(tmp_path, text)

    assert done.returncode == 1
    assert found["it"].message == "console 'board.console': the login is refused: 'Login incorrect'"


@pytest.mark.peer("guest")
def test_a_linux_that_is_killed_while_it_boots_is_the_labs_error(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(QEMU, encoding="utf-8")
    text = alone("linux", "power_on:", "console_login: {password: toor, within: 90s}")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    process = started(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    console = tmp_path / "results/latest/console/linux.board.console.raw"
    wait_until(lambda: console.exists() and console.stat().st_size > 0, "the kernel says something")
    kill(process, "qemu-system-aarch64")
    output, _ = process.communicate(timeout=LIMIT)

    assert process.returncode == 3, output
    assert "QEMU has ended by itself, killed by SIGKILL" in cases(tmp_path)["it"].message


# --- a module of the user, on the simulated board ----------------------------------------------------

MODULE = '''"""Goes wrong."""

from runner.api import Context, Module


class GoWrong(Module):
    """Go wrong."""

    def run(self, context: Context) -> None:
        """Do it."""
        {body}
'''


def with_module(
    folder: Path, body: str, *more: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Case]]:
    (folder / "modules").mkdir()
    (folder / "modules" / "go_wrong.py").write_text(MODULE.format(body=body), encoding="utf-8")
    text = alone("sim", "go_wrong:", *more) + "  - test: another\n    steps:\n      - power_on:\n"
    return played(folder, text, "benches:\n  sim: {devices: {board: {driver: sim}}}\n")


def test_a_module_that_raises_is_a_crash_with_its_line(tmp_path: Path) -> None:
    done, found = with_module(tmp_path, "1 / 0")

    assert done.returncode == 3
    assert (found["it"].kind, found["it"].type) == ("error", "Crash")
    assert "ZeroDivisionError: division by zero" in found["it"].message
    assert "modules/go_wrong.py" in found["it"].text
    assert found["another"].kind == "passed"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV"),
        ("import os; os._exit(7)", "exit status 7"),
    ],
)
def test_a_module_that_ends_the_agent_does_not_end_the_run(tmp_path: Path, body: str, words: str) -> None:
    done, found = with_module(tmp_path, body)

    assert done.returncode == 3
    assert found["it"].kind == "error"
    assert words in found["it"].text
    assert found["another"].kind == "error"
    assert found["another"].type in {"Blocked", "LabError"}


def test_a_module_that_exits_is_a_crash_of_its_step(tmp_path: Path) -> None:
    done, found = with_module(tmp_path, "import sys; sys.exit(0)")

    assert done.returncode == 3
    assert (found["it"].kind, found["it"].type) == ("error", "Crash")
    assert "SystemExit" in found["it"].message


def test_a_module_that_ignores_its_limit_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    body = "import time\n        while True:\n            time.sleep(1)"
    (tmp_path / "modules" / "go_wrong.py").write_text(MODULE.format(body=body), encoding="utf-8")
    text = "benches: sim\ntests:\n  - test: it\n    steps:\n      - go_wrong:\n        timeout: 1s\n"
    done, found = played(tmp_path, text, "benches:\n  sim: {devices: {board: {driver: sim}}}\n")

    assert done.returncode == 3
    assert found["it"].kind == "error"
    assert "the step's timeout of 1s" in found["it"].text


# --- a bench that somebody holds ---------------------------------------------------------------------


def test_a_bench_that_somebody_holds_is_refused_with_4_and_free_afterwards(tmp_path: Path) -> None:
    lab = "benches:\n  held-desk: {devices: {power: {driver: command, turn_on: 'true', turn_off: 'true'}}}\n"
    (tmp_path / "lab.yaml").write_text(lab, encoding="utf-8")
    (tmp_path / "long.yaml").write_text(alone("held-desk", "power_on:", "wait: 4m"), encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(alone("held-desk", "power_on:"), encoding="utf-8")
    holder = started(tmp_path, "play", "long.yaml", "-i", "lab.yaml", "-v")
    events = tmp_path / "results" / "latest" / "events.jsonl"
    wait_until(
        lambda: events.exists() and "wait 4m" in events.read_text(encoding="utf-8"), "it holds the bench"
    )
    refused = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", "--results", "other")
    (tmp_path / "patient.yaml").write_text(
        "reserve: {wait: 300ms}\n" + alone("held-desk", "power_on:"), encoding="utf-8"
    )
    waited = runner(tmp_path, "play", "patient.yaml", "-i", "lab.yaml", "--results", "other")
    interrupt(holder)
    holder.communicate(timeout=LIMIT)
    free = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")

    assert refused.returncode == 4
    assert "bench held-desk is held by " in refused.stdout
    assert "hint: wait for it with --wait" in refused.stdout
    assert waited.returncode == 4
    assert "; waited 300ms" in waited.stdout
    assert "hint: wait longer with --wait" in waited.stdout
    assert (holder.returncode, free.returncode) == (130, 0)
