"""Files are read as UTF-8, and shown as people like to see their paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.document import plain
from runner.errors import InputError, Location
from runner.loader import load, shown_path


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file: gone.yaml"):
        load(str(tmp_path / "gone.yaml"), shown="gone.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lab cannot be read: Is a directory"):
        load(str(tmp_path), shown="lab")


def test_a_byte_that_is_not_utf_8_is_shown_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")

    with pytest.raises(InputError) as raised:
        load(str(tmp_path / "x.yaml"), shown="x.yaml")
    assert raised.value.faults[0].at == Location("x.yaml", 2, 7)
    assert raised.value.faults[0].message == "this is not UTF-8 text: byte 0xe9"


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")

    assert plain(load(str(tmp_path / "x.yaml"))) == {"a": 1, "b": 2}


def test_a_path_below_the_current_folder_is_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert shown_path(str(tmp_path / "lab" / "x.yaml")) == "lab/x.yaml"
    assert shown_path("lab/../x.yaml") == "x.yaml"
    assert shown_path("/elsewhere/x.yaml") == "/elsewhere/x.yaml"
