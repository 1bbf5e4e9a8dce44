from pathlib import Path

import pytest

from runner.api import LabError
from runner.connect.ssh_config import SshConfig


def config(folder: Path, **files: str) -> SshConfig:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return SshConfig(folder / "config", folder / "system")


def test_the_first_value_counts_and_the_users_file_comes_first(tmp_path: Path) -> None:
    said = config(
        tmp_path, config="Host shelf*\n  User hil\nHost *\n  User me\n", system="User nobody\nPort 2222\n"
    )
    assert (said.of("shelf1")["user"], said.of("gate")["user"]) == ("hil", "me")
    assert said.of("shelf1")["port"] == "2222"


def test_nothing_is_said_where_there_are_no_files(tmp_path: Path) -> None:
    assert config(tmp_path).of("shelf1") == {"hostname": "shelf1"}


def test_what_is_included_stands_in_its_place_and_the_block_goes_on_behind_it(tmp_path: Path) -> None:
    said = config(
        tmp_path,
        config="Include *.conf\nHost shelf1\n  Include inner\n  Port 2\nHost *\n  Port 3\n",
        **{"a.conf": "Host a\n  Port 1\n"},
        inner="Host shelf1\n  User inner\nHost other\n  User other\n",
    )
    assert [said.of(each)["port"] for each in ("a", "shelf1", "b")] == ["1", "2", "3"]
    assert said.of("shelf1")["user"] == "inner"
    assert "user" not in said.of("other")


def test_a_block_that_is_not_about_the_host_includes_nothing(tmp_path: Path) -> None:
    said = config(tmp_path, config="Host * !gate\n  Include all\n", all="Host *\n  User hil\n")
    assert said.of("shelf1")["user"] == "hil"
    assert "user" not in said.of("gate")


def test_files_that_include_one_another_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="include one another more than 16 deep"):
        config(tmp_path, config="Include config\n").of("a")


def test_what_cannot_be_understood_is_told_with_the_files(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"cannot understand .*config and .*system: Unparsable line") as caught:
        config(tmp_path, config="Host shelf1\n  nonsense\n").of("shelf1")
    assert caught.value.hint == "transport: openssh reads all of it"
