"""YAML's own errors are told in words that say what to write, with the place of the mistake."""

from __future__ import annotations

import pytest

from runner.errors import InputError, Location
from runner.loader import loads

TEMPLATE = "the value starts with {{: quote it"
SPACE = "a space is missing after the colon"
ITEM = "this item is indented more than the one above, so YAML takes it for more of its text"
CASES = [
    ("a: {{ x }}", TEMPLATE, (1, 4, 7), 'write a: "{{ x }}"'),
    ("- {{ x }}", TEMPLATE, (1, 3, 7), 'write - "{{ x }}"'),
    ("a: {{ x }}/b  # c", TEMPLATE, (1, 4, 9), 'write a: "{{ x }}/b"  # c'),
    ("a: {{ x[0] }}", TEMPLATE, (1, 4, 10), 'write a: "{{ x[0] }}"'),
    ('a: {{ x["k"] }}', TEMPLATE, (1, 4, 12), "write a: '{{ x[\"k\"] }}'"),
    ("- cmd: {a: {{ x }}, b: 2}", TEMPLATE, (1, 12, 7), 'write - cmd: {a: "{{ x }}", b: 2}'),
    ("a: [{{ x }}, {{ y }}/z]", TEMPLATE, (1, 5, 7), 'write a: ["{{ x }}", {{ y }}/z]'),
    ("\ta: 1", "indented with a tab: YAML wants spaces", (1, 1, 1), "let your editor insert spaces"),
    ("a:\n\t\tb: 1", "indented with a tab: YAML wants spaces", (2, 1, 2), "let your editor insert spaces"),
    ("a: 'x\nb: 1\n", "the quote ' is not closed", (1, 4, 1), "close it with '"),
    ('a: 1\nb: "x\n', 'the quote " is not closed', (2, 4, 1), 'close it with "'),
    ("x: 1\na:5s\nb: 2", SPACE, (2, 2, 1), "write a: 5s"),
    ("- x: 1\n  timeout:5s\n  y: 2", SPACE, (2, 10, 1), "write timeout: 5s"),
    ("a:1\nb:2", SPACE, (1, 2, 1), "write a: 1"),
    ("a: x\nthis is text\n", "this line is no 'key: value'", (2, 1, 12), "write key: value"),
    ("a: b: c  # d", "the value holds ': ': quote it", (1, 4, 4), 'write a: "b: c"'),
    (
        '- cmd: echo "a: b" c: d',
        "the value holds ': ': quote it",
        (1, 8, 16),
        "write cmd: 'echo \"a: b\" c: d'",
    ),
    ("- a\n - b", ITEM, (2, 2, 1), "begin all items of a list in one column"),
    ("a:\n  - b\n    - c", ITEM, (3, 5, 1), "begin all items of a list in one column"),
    (
        "a: 1\n  b: 2",
        "wrong indentation",
        (2, 3, 1),
        "the line above has a value and is indented by 0, this one by 2",
    ),
    (
        "a:\n  b: 1\n c: 2",
        "wrong indentation",
        (3, 2, 1),
        "the mapping that begins at line 1 are indented by 0",
    ),
    ("a: 1\n- b", "a list item stands among the keys of a mapping", (2, 1, 1), "indented by 0"),
    ("- a: 1\nb: 2", "this is no item of the list above", (2, 1, 1), "the list that begins at line 1"),
    ("a: - b", "a list cannot begin behind its key", (1, 4, 1), "begin the list on the next line"),
    ("a: [1, 2\nb: 3", "this [ is not closed", (1, 4, 1), "close it with ]"),
    ("a: {b: 1,\n", "this { is not closed", (1, 4, 1), "close it with }"),
    ("a: [1 {", "a ',' or ']' is missing here", (1, 7, 1), "quote the value if it is text"),
    ("a: [b]]", "this ] closes nothing", (1, 7, 1), "quote the value if it is text"),
    ("a: 'it's'", "the value goes on after its closing quote", (1, 8, 1), 'quote all of it with "'),
    ('a: "b" c', "the value goes on after its closing quote", (1, 8, 1), "quote all of it with '"),
    ('a: "\\d+"', "\\d means nothing here", (1, 5, 2), "in single quotes"),
    ("a: @x", "a value cannot begin with @: quote it", (1, 4, 2), 'write a: "@x"'),
    ("a: %d  # b", "a value cannot begin with %: quote it", (1, 4, 2), 'write a: "%d"'),
    ("a: b\x07c", "the character U+0007 is not allowed in YAML", (1, 5, 1), 'write "\\x07" in double quotes'),
]


@pytest.mark.parametrize(("text", "message", "place", "hint"), CASES)
def test_a_mistake_is_told_with_its_place_and_what_to_write(
    text: str, message: str, place: tuple[int, int, int], hint: str
) -> None:
    with pytest.raises(InputError) as raised:
        loads(text, "x.yaml")

    (fault,) = raised.value.faults
    assert (fault.code, fault.message) == ("E101", message)
    assert fault.at == Location("x.yaml", *place)
    assert hint in fault.hint


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InputError, match=r"x\.yaml:1:5: the character U\+D83D is not allowed in YAML"):
        loads("a: b\ud83d", "x.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "see: http://example.org/a\n",
        "text: this board - the old one -\n  is slow\n",
        "text: first\n  second line of it\n",
        "a: b:c\n",
        "a: {b: http://x}\n",
        "- ssh://host\n- time 12:30\n",
        "a: |\n  - not an item\n  b:c\n",
        "a: 'x\n  - y'\n",
    ],
)
def test_text_that_only_looks_like_a_mistake_is_read(text: str) -> None:
    assert loads(text, "x.yaml") is not None


def test_the_correction_can_be_read() -> None:
    for text, message, _place, hint in CASES:
        if message == TEMPLATE and "{{ y }}" not in text:
            assert loads(hint.removeprefix("write "), "x.yaml").templated
