"""Inventories that are printed by real programs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runner.api.values import Duration
from runner.errors import InputError
from runner.inventory.program import run_program
from runner.inventory.read import read_inventory
from runner.registry import Registry


def script(folder: Path, text: str) -> str:
    path = folder / "lab"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_what_a_program_prints_is_the_inventory(tmp_path: Path) -> None:
    path = script(
        tmp_path, """echo asked >&2; echo '{"benches": {"a": {"devices": {"board": {"driver": "sim"}}}}}'"""
    )

    assert list(read_inventory([path], Registry.built_in()).benches) == ["a"]


def test_its_exit_status_and_words_are_told(tmp_path: Path) -> None:
    path = script(tmp_path, "echo 'no lease' >&2; exit 3")

    with pytest.raises(InputError) as raised:
        read_inventory([path], Registry.built_in())
    assert "ended with exit status 3" in raised.value.faults[0].message
    assert raised.value.faults[0].hint == "it said: no lease"


def test_one_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    path = script(tmp_path, "echo begun >&2; sleep 60 & sleep 60")
    began = time.monotonic()

    printed = run_program(path, Duration("2s"))
    assert (printed.status, printed.errors) == (None, b"begun\n")
    assert time.monotonic() - began < 50


def test_one_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lab"
    path.write_text("#!/nonexistent/interpreter\n")
    path.chmod(0o755)

    with pytest.raises(InputError, match="cannot be started: No such file or directory"):
        read_inventory([str(path)], Registry.built_in())
