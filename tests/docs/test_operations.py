"""The table of operations: every verb in it exists, and every test."""

from __future__ import annotations

import re

import pytest
from support.peers import ROOT

from runner.registry import Registry

_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/reference/operations.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| operation |")
]


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row[0])
def test_an_operation_has_its_verb_and_its_test(row: list[str]) -> None:
    _, verbs, test = row
    known = Registry.built_in().verb_names()
    named = [each for each in re.findall(r"`(\w+)`", verbs) if not verbs.startswith("inventory")]
    path, _, name = test.strip("`").partition("::")

    assert [each for each in named if each not in known] == []
    assert name, test
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert (ROOT / path).exists()
