"""Durations, sizes and byte strings, as they are written and as they are shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.api.values import BytePattern, ByteString, Duration, Secret, Size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2.0),
        ("500ms", 0.5),
        ("20us", 2e-5),
        ("1m30s", 90.0),
        ("2h", 7200.0),
        ("1h1m1s1ms", 3661.001),
        ("1.5h", 5400.0),
        ("0", 0.0),
        ("1e-3", 0.001),
        (" 3s ", 3.0),
        (7, 7.0),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_written_with_units_or_in_seconds(text: str | float, seconds: float) -> None:
    assert math.isclose(Duration(text), seconds)


@pytest.mark.parametrize(
    "wrong",
    [
        *["", " ", "5 s", "1s1h", "1s1s", "2S", "-1", "-1s", "s", "1m30", "inf", "nan", "1_0", "1d", "1.s"],
        "\N{ARABIC-INDIC DIGIT THREE}s",
        *[-1, -0.5, math.inf, math.nan, True],
    ],
)
def test_what_is_no_duration_is_refused(wrong: str | float) -> None:
    with pytest.raises(ValueError, match="is not a duration: write 2s, 500ms, 1m30s, 2h or seconds"):
        Duration(wrong)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.09, "90ms"),
        (0.0005, "500us"),
        (1.5, "1.5s"),
        (59.9999, "1m"),
        (90, "1m30s"),
        (3599.9999, "1h"),
        (7200, "2h"),
        (7201, "2h1s"),
        (36000000000, "10000000h"),
        (1e-9, "0.001us"),
    ],
)
def test_a_duration_is_shown_as_a_person_would_write_it(seconds: float, shown: str) -> None:
    assert str(Duration(seconds)) == shown


@given(st.floats(min_value=1e-8, max_value=1e9))
def test_a_shown_duration_reads_back_to_a_thousandth(seconds: float) -> None:
    assert math.isclose(Duration(str(Duration(seconds))), seconds, rel_tol=0.06, abs_tol=1e-9)
    assert abs(Duration(str(Duration(seconds))) - seconds) <= 0.0006


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("4KiB", 4096),
        ("4 KiB", 4096),
        ("1.5KiB", 1536),
        ("2GB", 2_000_000_000),
        ("1.1GB", 1_100_000_000),
        ("9007199254740993", 9007199254740993),
        ("8191.9TiB", 9007089303578214),
        (16, 16),
    ],
)
def test_a_size_is_written_with_units_or_in_bytes(text: str | int, size: int) -> None:
    assert Size(text) == size


@pytest.mark.parametrize(
    "wrong",
    ["", "4K", "4kB", "-1", "1.5", "1.5B", "0x10", "1e6", "\N{ARABIC-INDIC DIGIT FOUR}KiB", -1, True, 1.5],
)
def test_what_is_no_size_is_refused(wrong: str | int) -> None:
    with pytest.raises(ValueError, match="is not a size: write 4KiB, 16MiB, 2GB or bytes"):
        Size(wrong)


def test_a_size_is_shown_with_the_unit_that_keeps_it_short() -> None:
    assert [str(Size(size)) for size in (5, 4096, 1536 * 1024, 16 * 2**30)] == [
        "5 B",
        "4 KiB",
        "1.5 MiB",
        "16 GiB",
    ]


@given(st.binary(max_size=64))
def test_a_byte_string_reads_back_what_it_shows(data: bytes) -> None:
    assert ByteString(str(ByteString(data))) == data
    assert ByteString(data.hex()) == data
    assert ByteString(list(data)) == data
    assert BytePattern(data).matches(data)


@pytest.mark.parametrize("wrong", ["1", "1 02 3", "0x01", "02,01", "xx", "?? 01", 5, [256], [-1], ["a"]])
def test_what_is_no_byte_string_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="byte"):
        ByteString(wrong)


def test_a_pattern_matches_any_byte_where_it_says_so() -> None:
    pattern = BytePattern("?? 0a??")

    assert pattern == "?? 0A ??"
    assert pattern.matches(b"\x01\x0a\xff")
    assert not pattern.matches(b"\x01\x0b\xff")
    assert not pattern.matches(b"\x01\x0a")


@pytest.mark.parametrize("wrong", ["?", "? ?", "?1", "0?"])
def test_half_a_byte_cannot_be_left_open(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a byte string"):
        BytePattern(wrong)


def test_a_secret_does_not_show_in_tracebacks() -> None:
    assert repr(Secret("hunter2")) == "'******'"
    assert Secret("hunter2") == "hunter2"
