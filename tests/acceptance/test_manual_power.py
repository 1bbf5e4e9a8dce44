"""A switch that a person works by hand: asked at a terminal, refused where nobody is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.command import CLEAN, LIMIT, RUNNER, interrupt, runner, wait_until

LAB = """
benches:
  desk:
    on_release: [{power_off: }]
    devices: {plug: {driver: manual, what: the red plug}}
  other:
    devices: {power: {driver: mock}}
"""
RECIPE = """
benches: desk
steps:
  - power_on:
    register: first
  - power_on:
    expect: result.previous == 'on' and first.previous is none
  - power_cycle: {off_time: 10ms}
    expect: result.verified == 'state'
"""


def state(folder: Path) -> dict[str, str]:
    """Return where locks and the like are: not where those of other tests are."""
    return {"RUNNER_STATE": str(folder / "state"), "RUNNER_LOCKS": str(folder / "locks")}


class AtTerminal:
    """A command whose standard input and errors are a terminal, with a person before it."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self._shown = ""

    def answer(self, asked: str, text: str) -> None:
        """Wait until it asks something that it has not asked before, and type an answer."""
        os.set_blocking(self._master, False)
        wait_until(lambda: asked in self._seen(), f"it asks {asked!r}", LIMIT)
        self._shown = self._shown.partition(asked)[2]
        os.write(self._master, text.encode())

    def end(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and what it printed."""
        out, _ = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, out.decode()

    def _seen(self) -> str:
        with suppress(OSError):  # nothing has come yet, or the command has ended
            self._shown += os.read(self._master, 65536).decode(errors="replace")
        return self._shown


Start = Callable[..., AtTerminal]


@pytest.fixture
def at_terminal(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "lab.yaml").write_text(LAB, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")

    @contextmanager
    def terminal() -> Iterator[tuple[int, int]]:
        master, slave = pty.openpty()
        try:
            yield master, slave
        finally:
            os.close(slave)
            os.close(master)

    with terminal() as (master, slave):

        def start(*arguments: str) -> AtTerminal:
            process = subprocess.Popen(
                [*RUNNER, *arguments, "-i", "lab.yaml"],
                cwd=tmp_path,
                env={**CLEAN, "CI": "", **state(tmp_path)},
                stdin=slave,
                stdout=subprocess.PIPE,
                stderr=slave,
            )
            return AtTerminal(process, master)

        yield start


def cases(folder: Path) -> list[dict[str, object]]:
    """Return what the last run says of its cases."""
    result = json.loads((folder / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    found: list[dict[str, object]] = result["cases"]
    return found


def test_a_person_is_asked_for_each_change_and_believed(at_terminal: Start, tmp_path: Path) -> None:
    playing = at_terminal("play", "recipe.yaml")

    playing.answer("desk, plug: switch on the red plug. Done? [Y/n] ", "what\n")
    playing.answer("switch on the red plug. Done?", "y\n")
    playing.answer("switch off the red plug. Done?", "\n")
    playing.answer("switch on the red plug. Done?", "yes\n")
    playing.answer("switch off the red plug. Done?", "y\n")

    code, out = playing.end()
    assert code == 0, out
    assert [case["outcome"] for case in cases(tmp_path)] == ["passed"] * 3


def test_a_person_who_cannot_do_it_makes_it_an_error_of_the_lab(at_terminal: Start) -> None:
    switching = at_terminal("power", "desk", "on")
    switching.answer("switch on the red plug. Done?", "n\n")

    assert switching.end() == (3, "")
    switching.answer("could not be switched on: the person says that it could not be", "")


def test_an_interrupt_withdraws_the_question_and_the_clean_up_may_ask(at_terminal: Start) -> None:
    playing = at_terminal("play", "recipe.yaml")
    playing.answer("switch on the red plug. Done?", "")
    interrupt(playing.process)
    playing.answer("switch off the red plug. Done?", "y\n")

    assert playing.end()[0] == 130


@pytest.mark.parametrize("arguments", [("play", "recipe.yaml", "--no-input"), ("do", "desk", "power_off")])
def test_nothing_runs_where_nobody_can_be_asked(
    at_terminal: Start, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    if "--no-input" in arguments:
        refused = at_terminal(*arguments)
        code, told = refused.end()[0], ""
        refused.answer("E522", "")
    else:
        done = runner(tmp_path, *arguments, "-i", "lab.yaml", **state(tmp_path))
        code, told = done.returncode, done.stderr
        assert "power_off: 'plug' on bench 'desk' is switched by a person" in told

    assert code == 2
    assert not (tmp_path / "results").exists()


def test_benches_without_such_a_switch_and_checks_need_nobody(at_terminal: Start, tmp_path: Path) -> None:
    del at_terminal
    other = runner(tmp_path, "do", "other", "power_off", "-i", "lab.yaml", **state(tmp_path))
    checked = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", "--check", **state(tmp_path))

    assert other.returncode == 0, other.stdout + other.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "would switch on 'plug' on bench 'desk' (the red plug): its state cannot be read" in checked.stdout
