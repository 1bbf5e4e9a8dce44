"""Expressions and templates."""

import pytest

from runner.document import Scalar
from runner.errors import Location
from runner.loader import loads
from runner.model import Expression
from runner.template import NameUse, RenderError, Templates

AT = Location("r.yaml", 3, 5)


class Ran:
    """A result."""

    status = 3
    output = "temp 21.5"


def scalar(text: str, **more: bool) -> Scalar:
    return Scalar(AT, text, text, **more)


def render(text: str, **names: object) -> object:
    return Templates().render(scalar(text), names)


def expression(text: str) -> Expression:
    return Expression(text=text, at=AT)


@pytest.mark.parametrize(
    ("text", "names", "value"),
    [
        ("plain", {}, "plain"),
        ("{{ v }}", {"v": "1.10"}, "1.10"),
        ("{{ v }}", {"v": 7}, 7),
        ("{{ v }}", {"v": [1, 2]}, [1, 2]),
        (" {{ v + 1 }} ", {"v": 7}, 8),
        ("0x{{ v }}", {"v": 10}, "0x10"),
        ("{{ v }}{{ v }}", {"v": 1}, "11"),
        ("{% if v %}yes{% else %}no{% endif %}", {"v": True}, "yes"),
        ("{{ v.x }}", {"v": {"x": 5}}, 5),
        ("{{ '02 01' | unhex }}", {}, b"\x02\x01"),
        ("{{ v | bytes | hex }}", {"v": "ab"}, "61 62"),
        ("{{ 'abc' | crc32 }}", {}, 0x352441C2),
        ("{{ 'abc' | sha256 }}", {}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("{{ v | regex_search('[0-9.]+') }}", {"v": "temp 21.5 C"}, "21.5"),
        ("{{ v | regex_findall('[a-z]') }}", {"v": "a1b"}, ["a", "b"]),
        ("{{ ('{\"a\": 1}' | from_json).a }}", {}, 1),
        ("{{ ('a: on' | from_yaml).a }}", {}, "on"),
        ("{{ v | to_json }}", {"v": {"a": 1}}, '{"a": 1}'),
        ("{{ v | json_query('a.b[1].c') }}", {"v": {"a": {"b": [{}, {"c": 9}]}}}, 9),
        ("{{ '1m' | duration + 1 }}", {}, 61.0),
        ("{{ '4KiB' | size }}", {}, 4096),
        ("{{ {'a': {'b': 1}} }}", {}, {"a": {"b": 1}}),
        ("{{ [1, 2] | map('string') }}", {}, ["1", "2"]),
        ("{{ {'a': 1}.keys() }}", {}, ["a"]),
        ("{{ v | version }}", {"v": "U-Boot 2023.01+dfsg"}, "2023.01"),
    ],
)
def test_templates_keep_the_type_of_a_single_value(
    text: str, names: dict[str, object], value: object
) -> None:
    assert render(text, **names) == value


def test_what_a_device_printed_is_never_a_template() -> None:
    assert render("{{ v }}", v="{{ 1 + 1 }}") == "{{ 1 + 1 }}"
    assert Templates().render(scalar("{{ x }}", literal=True), {}) == "{{ x }}"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{{ imgae }}", "'imgae' is undefined", "did you mean 'image'?"),
        ("{{ image.size }}", "'str object' has no attribute 'size'", ""),
        ("{{ image + 1 }}", 'TypeError: can only concatenate str (not "int") to str', ""),
        ("{{ ''.__class__ }}", "access to attribute '__class__' of 'str' object is unsafe.", ""),
        ("{{ range(10000000000) }}", "Range too big.", ""),
        ("{{ image * 100000000 }}", "the result of * would be too big", ""),
        ("{{ 9 ** 99999999 }}", "the result of ** would be too big", ""),
        ("{{ [nothing] }}", "'nothing' is undefined", ""),
        ("{{ image.upper }}", "upper is called with parentheses: upper()", ""),
        ("{{ image | regex_search('(') }}", "'(' is no regular expression: missing )", ""),
        ("{{ image is match('(') }}", "'(' is no regular expression: missing )", ""),
        ("{{ '{a: [' | from_yaml }}", "this [ is not closed", ""),
    ],
)
def test_what_has_no_value_is_told_with_its_place(text: str, message: str, hint: str) -> None:
    with pytest.raises(RenderError) as caught:
        render(text, image="x")

    assert message in caught.value.message
    assert (caught.value.at, caught.value.hint) == (AT, hint)


@pytest.mark.parametrize(
    ("text", "holds", "operands"),
    [
        ("result.status == 3", True, {}),
        ("result.status == 0", False, {"result.status": 3}),
        ("result.status == 0 or n > 5", False, {"result.status": 3, "n": 2}),
        ("result.output is search('hot')", False, {"result.output": "temp 21.5"}),
        ("result.output | length < n", False, {"result.output | length": 9, "n": 2}),
        ("result.output.split() | length == 1", False, {"result.output.split() | length": 2}),
        ("result.output.upper() == 'X'", False, {"result.output.upper()": "TEMP 21.5"}),
        ("not result.status", False, {"result.status": 3}),
        ("result.output is version('21.4', '>')", True, {}),
    ],
)
def test_a_condition_that_does_not_hold_shows_its_operands(text: str, holds: bool, operands: object) -> None:
    judged = Templates().judge(expression(text), {"result": Ran(), "n": 2})

    assert (judged.holds, judged.operands, judged.at) == (holds, operands, "r.yaml:3:5")


def test_a_condition_that_is_not_true_or_false_is_an_error() -> None:
    with pytest.raises(RenderError, match="a condition is true or false, and n is 2"):
        Templates().judge(expression("n"), {"n": 2})


def test_names_are_found_with_their_fields_and_columns() -> None:
    found = Templates().names_in("boot.elapsed < max_boot and x is match(pat)", bare=True)

    assert found == (
        NameUse("boot", ("elapsed",), 0, (5,)),
        NameUse("max_boot", (), 15),
        NameUse("x", (), 28),
        NameUse("pat", (), 39),
    )


def test_names_that_a_template_makes_itself_are_not_asked_for() -> None:
    text = "{% for i in items %}{{ i }}{{ loop.index }}{% endfor %}{% set y = z %}{{ y | default(w) }}"

    assert [use.name for use in Templates().names_in(text, bare=False)] == ["items", "z", "w"]


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("{% if a %}{{ a.b }}{% endif %}", [("a", 6), ("a", 13)]),
        ("{{- a -}}\n  {{ b }}", [("a", 4), ("b", 15)]),
        ("{% for k in d if k.on %}{{ k }}{% else %}{{ k }}{% endfor %}", [("d", 12), ("k", 44)]),
        ("{% set x %}{{ y }}{% endset %}{{ x }}", [("y", 14)]),
        (
            "{% macro m(p, q=r) %}{{ p }}{{ q }}{{ s }}{% endmacro %}{{ m(t) }}",
            [("r", 16), ("s", 38), ("t", 61)],
        ),
        ("{% with n = o %}{{ n }}{% endwith %}", [("o", 12)]),
        ("{{ f(key=v) }}", [("f", 3), ("v", 9)]),
        ("{{ 'a b' ~ c is defined }}", [("c", 11)]),
    ],
)
def test_each_name_has_its_own_place(text: str, used: list[tuple[str, int]]) -> None:
    assert [(use.name, use.offset) for use in Templates().names_in(text, bare=False)] == used


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ a }} == 1", ("E311", "an expression stands without {{ }}", "write: a == 1")),
        ("a ==", ("E310", "", "")),
        ("a | flaot", ("E312", "no filter 'flaot'", "did you mean 'float'?")),
        ("a is serach('x')", ("E313", "no test 'serach'", "did you mean 'search'?")),
    ],
)
def test_wrong_expressions_are_told_before_the_run(text: str, told: tuple[str, str, str]) -> None:
    (only,) = Templates().check(expression(text))

    assert only.code == told[0]
    assert told[1] in only.message
    assert only.hint == told[2]


def test_braces_in_a_text_are_no_template() -> None:
    assert Templates().check(expression("a == '{{'")) == ()


def test_a_template_has_no_files() -> None:
    (only,) = Templates().check(scalar("{% include 'x' %}"))

    assert (only.code, only.message) == ("E310", "a template has no files: include")


def test_two_keys_that_become_one_are_told() -> None:
    both = loads("{'{{ a }}': 1, x: 2}", "r.yaml")

    with pytest.raises(RenderError, match="two keys of one mapping are 'x'"):
        Templates().render(both, {"a": "x"})


def test_a_wrong_filter_has_its_own_column() -> None:
    (only,) = Templates().check(expression("a | flaot"))

    assert only.at == Location("r.yaml", 3, 9, 5)


def test_only_the_names_in_use_are_looked_up() -> None:
    class Names(dict[str, object]):
        asked: list[str] = []  # noqa: RUF012 - of this test

        def __getitem__(self, name: str) -> object:
            self.asked.append(name)
            return super().__getitem__(name)

    names = Names(a=1, b=2)
    Templates().render(scalar("{{ a }}"), names)

    assert names.asked == ["a"]
