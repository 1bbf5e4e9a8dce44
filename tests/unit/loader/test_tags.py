"""Tags bring in values from outside, which are data: never templates, and secret where that was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.document import MapNode, Scalar
from runner.errors import Fault, InputError
from runner.loader import load, loads

ENVIRONMENT = {
    "USER": "hil",
    "PORT": "2222",
    "FLAG": "true",
    "VERSION": "1.10",
    "EMPTY": "",
    "TEXT": "{{ x }}",
}


def value(text: str, folder: Path = Path()) -> Scalar:
    node = loads(f"a: {text}\n", "x.yaml", folder=str(folder), environment=ENVIRONMENT)
    assert isinstance(node, MapNode)
    inner = node.get("a")
    assert isinstance(inner, Scalar)
    return inner


def fault(text: str) -> Fault:
    with pytest.raises(InputError) as raised:
        value(text)
    (found,) = raised.value.faults
    return found


@pytest.mark.parametrize(
    ("text", "meant", "source"),
    [
        ("!env USER", "hil", "hil"),
        ("!env PORT", 2222, "2222"),
        ("!env FLAG", True, "true"),
        ("!env VERSION", "1.10", "1.10"),
        ("!env EMPTY", "", ""),
        ("!env {name: USER, default: x}", "hil", "hil"),
        ("!env {name: NOBODY, default: 5}", 5, "5"),
        ('!env {name: NOBODY, default: ""}', "", ""),
    ],
)
def test_an_environment_variable_is_typed_when_it_can_be_written_back(
    text: str, meant: object, source: str
) -> None:
    found = value(text)

    assert (found.value, found.text, found.secret) == (meant, source, False)
    assert type(found.value) is type(meant)


def test_what_comes_from_outside_is_no_template() -> None:
    assert value("!env TEXT").value == "{{ x }}"
    assert not value("!env TEXT").templated
    assert not value('!secret "{{ x }}"').templated


def test_a_variable_that_is_not_set_is_a_fault_with_a_way_out() -> None:
    found = fault("!env NOBODY")

    assert (found.code, found.message) == ("E112", "environment variable NOBODY is not set")
    assert found.hint == "set it, or write !env {name: NOBODY, default: …}"
    assert found.at is not None
    assert (found.at.column, found.at.length) == (4, 11)


def test_a_file_is_found_beside_the_recipe_and_loses_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "nightly.sha256").write_text("0644\n", encoding="utf-8")

    found = value("!file nightly.sha256", tmp_path)
    assert (found.value, found.text, found.quoted, found.literal) == ("0644", "0644", True, True)


def test_a_recipe_reads_files_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("{{ data }}", encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text("a: !file key\n", encoding="utf-8")

    assert not load(str(tmp_path / "recipe.yaml")).templated


@pytest.mark.parametrize("name", ["missing", ".", '"a\\0b"'])
def test_a_file_that_cannot_be_read_is_a_fault(name: str) -> None:
    assert fault(f"!file {name}").code == "E113"


def test_a_file_that_is_not_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InputError, match="image cannot be read: it is not UTF-8 text"):
        value("!file image", tmp_path)


def test_a_secret_wraps_the_other_tags(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0k3n\n", encoding="utf-8")

    found = [
        value(text, tmp_path) for text in ("!secret abc", "!secret {env: USER}", "!secret {file: token}")
    ]
    assert [each.value for each in found] == ["abc", "hil", "t0k3n"]
    assert all(each.secret and each.literal for each in found)


def test_a_default_can_be_secret() -> None:
    found = value("!secret {env: {name: NOBODY, default: abc}}")

    assert (found.value, found.secret) == ("abc", True)


def test_a_number_can_be_secret() -> None:
    assert value("!secret 1234").value == 1234


@pytest.mark.parametrize(
    "text",
    [
        "!env [USER]",
        "!env {nam: USER}",
        "!env {name: USER, default: [1]}",
        "!env",
        "!file [a]",
        "!file",
        '!file "{{ x }}"',
        "!secret [a]",
        "!secret {vault: a}",
        "!secret {env: USER, file: x}",
    ],
)
def test_a_tag_that_is_written_wrongly_is_a_fault(text: str) -> None:
    assert fault(text).code == "E109"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("!envv USER", "no tag !envv", "did you mean '!env'?"),
        ("!vault x", "no tag !vault", "there are !env, !file and !secret"),
        ("!!python/object:os.system x", "no tag !!python/object:os.system", "quote"),
        ("!!str 5", "no tag !!str", "quote what is text"),
        ("!unknown {a: 1}", "no tag !unknown", "there are"),
    ],
)
def test_there_is_no_other_tag(text: str, message: str, hint: str) -> None:
    found = fault(text)

    assert (found.code, found.message) == ("E108", message)
    assert hint in found.hint
