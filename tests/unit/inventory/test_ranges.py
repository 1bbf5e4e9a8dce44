"""A range stands for many names, in order, with their numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.inventory.ranges import expand, is_range


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rpi4", [("rpi4", 1)]),
        ("rpi4-[01:03]", [("rpi4-01", 1), ("rpi4-02", 2), ("rpi4-03", 3)]),
        ("b[8:10]x", [("b8x", 8), ("b9x", 9), ("b10x", 10)]),
        ("b[08:10]", [("b08", 8), ("b09", 9), ("b10", 10)]),
        ("b[0:6:3]", [("b0", 0), ("b3", 3), ("b6", 6)]),
        ("b-[a:c]", [("b-a", 1), ("b-b", 2), ("b-c", 3)]),
        ("b-[A:C:2]", [("b-A", 1), ("b-C", 2)]),
        ("b[7:7]", [("b7", 7)]),
        ("r[a:b]-[1:2]", [("ra-1", 1), ("ra-2", 2), ("rb-1", 1), ("rb-2", 2)]),
    ],
)
def test_a_range_is_written_out(text: str, names: list[tuple[str, int]]) -> None:
    assert [(name.text, name.index) for name in expand(text)] == names


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("b[3:1]", "the range [3:1] counts downward"),
        ("b[c:a]", "does not count upward"),
        ("b[a:3]", "does not count upward"),
        ("b[aa:bb]", "does not count upward"),
        ("b[1:9:0]", "has a step of 0"),
        ("b[01-04]", "is not a range of names: write [01:04] or [a:c]"),
        ("b[1:2", "is not a range of names"),
        ("b]", "is not a range of names"),
        ("b[1:20000]", "stands for more than 10000 names"),
        ("b[1:200]-[1:200]", "stands for 40000 names: at most 10000"),
        ("b[0:99999999999999999999]", "stands for more than 10000 names"),
    ],
)
def test_what_is_no_range_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="range|stands") as raised:
        expand(text)

    assert why in str(raised.value)


def test_a_set_of_letters_in_a_glob_is_no_range() -> None:
    assert is_range("rpi4-[01:04]")
    assert not is_range("rpi4-[a-c]*")


@given(st.integers(0, 500), st.integers(0, 50), st.integers(1, 7), st.integers(0, 5))
def test_a_range_of_numbers_holds_every_step_once(start: int, more: int, step: int, zeros: int) -> None:
    first = "0" * zeros + str(start)

    names = expand(f"b[{first}:{start + more}:{step}]")
    assert [name.index for name in names] == list(range(start, start + more + 1, step))
    assert [int(name.text[1:]) for name in names] == [name.index for name in names]
    assert all(len(name.text) >= len(first) + 1 for name in names)
