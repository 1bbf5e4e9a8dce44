"""The table of planted faults (`make proof`) is about the tests and the source that are there."""

from __future__ import annotations

import re

import pytest
from proof.fault import ROWS, Fault
from proof.faults import FAULTS
from support.peers import ROOT

_NAMED = re.compile(r"^def (test_a(\d\d)_\w+)\(", re.MULTILINE)


def acceptance_tests() -> dict[str, str]:
    """Return the tests of acceptance rows, and of which row each is."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _NAMED.findall(path.read_text(encoding="utf-8")):
            found[f"{path.relative_to(ROOT).as_posix()}::{name}"] = f"A{number}"
    return found


def test_every_row_has_faults_and_every_fault_a_row() -> None:
    assert sorted({fault.row for fault in FAULTS}) == sorted(ROWS)


def test_every_test_of_a_row_is_turned_red_by_a_fault_of_that_row() -> None:
    turned = {test: fault.row for fault in FAULTS for test in fault.red}

    assert turned == acceptance_tests()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.row} {fault.rule}")
def test_the_place_of_a_fault_is_there_once_and_what_is_planted_is_python(fault: Fault) -> None:
    text = (ROOT / fault.path).read_text(encoding="utf-8")

    assert text.count(fault.old) == 1
    assert fault.planted(text) != text
    compile(fault.planted(text), fault.path, "exec")
