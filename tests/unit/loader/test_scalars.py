"""Plain scalars mean what YAML 1.2's core schema says, and the source text is kept."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document import ListNode, MapNode, Plain, Scalar, plain
from runner.errors import InputError, Location
from runner.loader import core_value, loads
from runner.loader.scalars import faithful_value


def value(text: str) -> Plain:
    node = loads(f"a: {text}\n", "x.yaml")
    assert isinstance(node, MapNode)
    inner = node.get("a")
    assert isinstance(inner, Scalar)
    return inner.value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("n", "n"),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("nuLL", "nuLL"),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("0o644", 0o644),
        ("0x1F", 31),
        ("0b101", "0b101"),
        ("1_000", "1_000"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-2.5E-3", -0.0025),
        ("1.2.3", "1.2.3"),
        ("12:30:45", "12:30:45"),
        ("2024-01-31", "2024-01-31"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("+.Inf", math.inf),
        (".nAn", ".nAn"),
        ("0.5", 0.5),
        ("007.5", 7.5),
        ("==", "=="),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, meant: Plain) -> None:
    assert value(text) == meant
    assert type(value(text)) is type(meant)


def test_not_a_number_is_a_number() -> None:
    found = value(".NaN")

    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("text", ["0644", "-007", "+01", "00", "08"])
def test_zeros_in_front_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(InputError) as raised:
        value(text)

    (fault,) = raised.value.faults
    assert fault.code == "E103"
    assert f'"{text}" for text' in fault.hint
    assert fault.at == Location("x.yaml", 1, 4, len(text))


def test_an_octal_number_is_offered_only_where_the_digits_are_octal() -> None:
    with pytest.raises(InputError) as raised:
        loads("[0644, 0899]", "x.yaml")

    assert [fault.hint for fault in raised.value.faults] == [
        'write 0o644 for an octal number, 644 for a decimal one, "0644" for text',
        'write 899 for a decimal one, "0899" for text',
    ]


@pytest.mark.parametrize("quoted", ['"0644"', "'0644'", '"true"', "'~'"])
def test_what_is_quoted_is_text(quoted: str) -> None:
    node = loads(quoted, "x.yaml")

    assert isinstance(node, Scalar)
    assert (node.value, node.text, node.quoted) == (quoted[1:-1], quoted[1:-1], True)


def test_the_source_text_is_kept() -> None:
    node = loads("[1.10, 0x10, True, ~]", "x.yaml")

    assert isinstance(node, ListNode)
    assert [item.text for item in node if isinstance(item, Scalar)] == ["1.10", "0x10", "True", "~"]


@given(st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_what_json_writes_is_read_as_the_same_value(number: float) -> None:
    text = json.dumps(number).replace("Infinity", ".inf")

    assert core_value(text) == number
    assert type(core_value(text)) is type(number)


_LETTERS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co", "Zl", "Zp"]), max_size=8
)
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | _LETTERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_LETTERS, inner, max_size=4),
    max_leaves=12,
)


@given(_DATA)
def test_json_is_read_as_what_it_is(data: object) -> None:
    assert plain(loads(json.dumps(data, ensure_ascii=False), "x.json")) == data


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("22", 22),
        ("true", True),
        ("1.5", 1.5),
        ("1.10", "1.10"),
        ("007", "007"),
        ("0x10", "0x10"),
        ("null", "null"),
    ],
)
def test_text_from_outside_is_a_number_only_when_it_can_be_written_back(text: str, meant: Plain) -> None:
    assert faithful_value(text) == meant
    assert type(faithful_value(text)) is type(meant)
