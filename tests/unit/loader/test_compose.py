"""Nodes know where they stand; keys are unique; aliases, merge keys and depth have their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.document import ListNode, MapNode, Node, Scalar, plain
from runner.errors import Fault, InputError, Location
from runner.loader import loads


def faults(text: str) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as raised:
        loads(text, "x.yaml")
    return raised.value.faults


def at(line: int, column: int, length: int = 1) -> Location:
    return Location("x.yaml", line, column, length)


def scalar(node: Node | None) -> Scalar:
    assert isinstance(node, Scalar)
    return node


def mapping(node: Node | None) -> MapNode:
    assert isinstance(node, MapNode)
    return node


def test_every_key_and_value_knows_its_place_and_length() -> None:
    node = mapping(loads("steps:\n  - uboot_cmd: printenv\n    timeout: '5 s'\n", "x.yaml"))
    steps = node.get("steps")

    assert isinstance(steps, ListNode)
    step = mapping(steps.items[0])
    assert [entry.key.at for entry in (*node, *step)] == [at(1, 1, 5), at(2, 5, 9), at(3, 5, 7)]
    assert [entry.value.at for entry in step] == [at(2, 16, 8), at(3, 14, 5)]
    assert step.at == at(2, 5)


def test_brackets_are_as_long_as_they_are_written() -> None:
    node = mapping(loads("a: [1, 2]\nb: {c: 3}\nd: [\n  1]\n", "x.yaml"))

    assert [entry.value.at for entry in node] == [at(1, 4, 6), at(2, 4, 6), at(3, 4, 1)]


def test_a_key_without_a_value_is_null_where_the_value_would_be() -> None:
    value = scalar(mapping(loads("a:\nb: 1\n", "x.yaml")).get("a"))

    assert (value.value, value.text, value.at) == (None, "", at(1, 3))


@pytest.mark.parametrize(
    ("text", "kind"), [("", Scalar), ("# nothing\n", Scalar), ("{}", MapNode), ("[]", ListNode)]
)
def test_what_is_empty_is_read(text: str, kind: type) -> None:
    assert isinstance(loads(text, "x.yaml"), kind)


def test_a_key_that_stands_twice_is_refused_with_both_places() -> None:
    (fault,) = faults("vars:\n  speed: 1\n  other: 2\n  speed: 3\n")

    assert (fault.code, fault.at) == ("E102", at(4, 3, 5))
    assert fault.message == "'speed' is here twice; first at x.yaml:2:3"


def test_two_spellings_of_one_key_are_one_key() -> None:
    (fault,) = faults('{1: a, "1": b}')

    assert fault.code == "E102"


def test_all_faults_of_a_file_are_told_in_the_order_of_the_text() -> None:
    found = faults("a: 007\nb: !vault x\na: 1\nc: *nobody\n")

    assert [(fault.code, fault.at.line if fault.at else 0) for fault in found] == [
        ("E103", 1),
        ("E108", 2),
        ("E102", 3),
        ("E101", 4),
    ]


def test_templates_are_seen_through_every_level_and_in_keys() -> None:
    node = mapping(loads('a: {b: [1, "{{ x }}"]}\nc: {d: [1]}\n"{% if y %}": 1\n', "x.yaml"))

    assert node.templated
    assert [entry.value.templated for entry in node] == [True, False, False]
    assert mapping(loads('{"{{ x }}": 1}', "x.yaml")).templated


def test_an_alias_stands_for_what_its_anchor_marks() -> None:
    assert plain(loads("a: &power {off_time: 2s}\nb: *power\nc: [*power]\n", "x.yaml")) == {
        "a": {"off_time": "2s"},
        "b": {"off_time": "2s"},
        "c": [{"off_time": "2s"}],
    }


def test_an_alias_can_be_a_key() -> None:
    assert plain(loads("a: &name speed\nb: {*name : 1}\n", "x.yaml")) == {"a": "speed", "b": {"speed": 1}}


def test_an_alias_without_anchor_is_refused_with_the_nearest_one() -> None:
    (fault,) = faults("a: &defaults 1\nb: *default\n")

    assert (fault.at, fault.message) == (at(2, 4, 8), "there is no anchor &default above")
    assert fault.hint == "did you mean 'defaults'?"


def test_a_value_cannot_hold_itself() -> None:
    (fault,) = faults("a: &a [*a]\n")

    assert fault.message == "*a stands inside &a: it would hold itself"


def test_an_anchor_is_set_once() -> None:
    (fault,) = faults("a: &x 1\nb: &x 2\n")

    assert fault.message == "the anchor &x is here twice; first at x.yaml:1:4"


def test_aliases_that_multiply_are_refused_before_they_are_followed() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert [fault.code for fault in faults("\n".join(lines))] == ["E106"]


def test_nesting_ends_at_64_levels() -> None:
    assert plain(loads("[" * 64 + "]" * 64, "x.yaml")) is not None
    assert [fault.code for fault in faults("[" * 65 + "]" * 65)] == ["E105"]
    assert [fault.code for fault in faults("[" * 20_000)] == ["E105"]


def test_merge_keys_give_what_the_mapping_does_not_say() -> None:
    text = "base: &base {a: 1, b: 1}\nother: &other {b: 2, c: 2}\nboth: {b: 3, <<: [*base, *other]}\n"

    both = mapping(mapping(loads(text, "x.yaml")).get("both"))
    assert plain(both) == {"a": 1, "b": 3, "c": 2}


def test_of_merged_mappings_the_first_counts() -> None:
    text = "base: &base {a: 1}\nother: &other {a: 2}\nboth: {<<: [*base, *other]}\n"

    assert plain(mapping(loads(text, "x.yaml")).get("both") or Scalar(at(1, 1), None, "")) == {"a": 1}


def test_a_merged_template_is_seen() -> None:
    text = 'base: &base {a: "{{ x }}"}\nuse: {<<: *base}\n'

    assert mapping(mapping(loads(text, "x.yaml")).get("use")).templated


def test_only_mappings_can_be_merged() -> None:
    found = faults("a: {<<: 5}\nb: {<<: [{c: 1}, 6]}\nd: {<<: {e: 1}, <<: {f: 1}}\n")

    assert [fault.code for fault in found] == ["E107", "E107", "E102"]


def test_a_quoted_merge_sign_is_a_key() -> None:
    assert plain(loads('{"<<": 5}', "x.yaml")) == {"<<": 5}


@pytest.mark.parametrize("text", ["? [a]\n: b", "[a, b]: 1", "{{a: 1}: 2}"])
def test_a_key_is_a_word(text: str) -> None:
    assert {fault.code for fault in faults(text)} <= {"E104", "E101"}


def test_a_file_holds_one_document() -> None:
    (fault,) = faults("--- a\n--- b\n")

    assert (fault.at, fault.message) == (at(2, 1), "a second document begins here")


def test_values_of_text_are_kept_to_the_letter() -> None:
    text = "a: |\n  one\n   two\nb: >-\n  three\n  four\nc: \"\\u00e9\\n\"\nd: 'it''s'\n"

    assert plain(loads(text, "x.yaml")) == {"a": "one\n two\n", "b": "three four", "c": "é\n", "d": "it's"}


def test_a_template_in_text_of_several_lines_is_one() -> None:
    assert mapping(loads("a: |\n  one\n  {{ two }}\n", "x.yaml")).templated


_KEYS = st.text("abcdef", min_size=1, max_size=3)
_VALUES = st.text("xyz {}%&*!'\"#:-,[]", max_size=8)


@given(st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=6))
def test_places_point_at_what_is_written(data: dict[str, str]) -> None:
    lines = [f"{key}: '{value.replace(chr(39), 2 * chr(39))}'" for key, value in data.items()]

    for entry in mapping(loads("\n".join(lines), "x.yaml")):
        line = lines[entry.key.at.line - 1]
        begin, value = entry.key.at.column - 1, entry.value.at
        assert line[begin : begin + entry.key.at.length] == entry.key.text
        assert line[value.column - 1 :] == line[value.column - 1 : value.column - 1 + value.length]


@given(st.text("ab:-{}[]\"'#&*!|>%@` \n\t,<?=~0", max_size=40))
def test_whatever_is_written_is_read_or_refused_with_a_place_inside_the_text(text: str) -> None:
    try:
        loads(text, "x.yaml", environment={})
    except InputError as error:
        height = text.count("\n") + 2
        for fault in error.faults:
            assert fault.at is not None
            assert 1 <= fault.at.line <= height
            assert fault.at.column >= 1
