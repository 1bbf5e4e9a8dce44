"""The table of fault codes and the code that uses them say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import runner
from runner.codes import CODES, page

_CODE = re.compile(r'"(E\d{3})"')
_SOURCE = Path(runner.__file__).parent


def _used() -> set[str]:
    files = [path for path in _SOURCE.rglob("*.py") if path.name != "codes.py"]
    return {code for path in files for code in _CODE.findall(path.read_text(encoding="utf-8"))}


def test_every_code_that_is_used_is_explained() -> None:
    assert sorted(_used() - set(CODES)) == []


def test_every_code_that_is_explained_is_used() -> None:
    assert sorted(set(CODES) - _used()) == []


@pytest.mark.parametrize("code", CODES)
def test_an_explanation_is_made_of_sentences(code: str) -> None:
    entry = CODES[code]

    assert entry.title[:1].islower() or entry.title[:1] in "'-<"
    assert entry.explanation.endswith(".")
    assert bool(entry.wrong) == bool(entry.right)


@pytest.mark.parametrize("code", [code for code, entry in CODES.items() if entry.right])
def test_the_right_example_is_yaml_or_a_command(code: str) -> None:
    right = CODES[code].right

    if not right.startswith(("runner ", "-e ")):
        assert yaml.compose(right.partition("# b.yaml")[0]) is not None


def test_a_page_shows_wrong_and_right() -> None:
    assert page("E201") == (
        "E201: no such module\n"
        "\n"
        "The key names neither a module nor an action that the play imports. "
        "'runner list modules' shows all.\n"
        "\n"
        "Wrong:\n"
        "\n"
        "    - comand: ls\n"
        "\n"
        "Right:\n"
        "\n"
        "    - command: ls\n"
    )
