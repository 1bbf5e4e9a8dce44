"""What is typed at a raw terminal: bytes for the board, and commands for ourselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli.keys import Asked, Keys, escape_key, instructions, shown

ESCAPE = 0x1D


def meant(*pieces: bytes, escape: int | None = ESCAPE) -> list[bytes | Asked]:
    keys = Keys(escape)
    return [each for piece in pieces for each in keys.feed(piece)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (b"ls\r", [b"ls\r"]),
        (b"\x00\x03\x1b[A\xff", [b"\x00\x03\x1b[A\xff"]),
        (b"\x1dq", ["quit"]),
        (b"\x1d.", ["quit"]),
        (b"\x1dQ", ["quit"]),
        (b"\x1d?", ["help"]),
        (b"\x1do\x1df\x1dc", ["on", "off", "cycle"]),
        (b"\x1dz", ["unknown"]),
        (b"a\x1d\x1db", [b"a\x1db"]),
        (b"a\x1d?b", [b"a", "help", b"b"]),
        (b"\x1d", []),
    ],
)
def test_commands_are_told_from_what_is_for_the_board(typed: bytes, expected: list[bytes | str]) -> None:
    assert meant(typed) == expected


def test_a_command_may_come_a_byte_at_a_time() -> None:
    assert meant(b"a\x1d", b"?", b"b") == [b"a", "help", b"b"]


def test_without_an_escape_key_every_byte_is_for_the_board() -> None:
    assert meant(bytes(range(256)), escape=None) == [bytes(range(256))]


@given(st.lists(st.binary(max_size=4), max_size=20))
def test_how_the_bytes_are_cut_changes_nothing(pieces: list[bytes]) -> None:
    joined: list[bytes | Asked] = []
    for each in meant(*pieces):
        if isinstance(each, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += each
        else:
            joined.append(each)

    assert joined == meant(b"".join(pieces))


@pytest.mark.parametrize(
    ("written", "key"),
    [("ctrl-]", 0x1D), ("Ctrl-a", 1), ("^A", 1), ("^\\", 0x1C), ("ctrl-_", 0x1F), ("none", None)],
)
def test_a_key_is_written_as_people_write_it(written: str, key: int | None) -> None:
    assert escape_key(written) == key


@pytest.mark.parametrize("written", ["", "a", "ctrl-", "ctrl-ab", "ctrl-1", "^", "ctrl-m", "ctrl-j"])
def test_a_key_that_cannot_be_one_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no key for commands"):
        escape_key(written)


def test_the_instructions_name_the_key() -> None:
    assert shown(1) == "Ctrl-A"
    assert "Ctrl-A q  quit" in instructions(1)
    assert "signal" in instructions(None)
