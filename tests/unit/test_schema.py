"""What is written becomes typed values, or faults in plain words."""

import enum
from pathlib import Path
from typing import Any, Literal

import pytest

from runner.api import BytePattern, ByteString, Duration, FilePath, Options, Secret, Size, TargetPath, arg
from runner.api.judged import Judged
from runner.declaration import Parameter
from runner.errors import Faults, InputError, Location
from runner.loader import loads
from runner.model import UNBOUND, Expression
from runner.schema import bind, convert, convert_value
from runner.type_names import type_name


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Interrupt(Options):
    """How to stop it."""

    keys: str = arg(default=" ", help="what is typed")
    interval: Duration = arg(default=Duration("50ms"), help="how often")


def parameter(hint: Any, **more: Any) -> Parameter:
    return Parameter(name="x", hint=hint, required=True, **more)


def converted(hint: Any, text: str, **more: Any) -> Any:
    faults = Faults()
    value = convert(parameter(hint, **more), loads(text, "r.yaml"), faults, owner="m")
    faults.raise_if_any()
    return value


def fault(hint: Any, text: str, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        converted(hint, text, **more)
    only = caught.value.faults[0]
    return f"{only.message} | {only.hint}"


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (bool, "true", True),
        (int, "0x1F", 31),
        (int, "0o17", 15),
        (float, "3", 3),
        (str, "1.10", "1.10"),
        (str, "true", "true"),
        (str, '""', ""),
        (Duration, "1m30s", 90.0),
        (Duration, "5", 5.0),
        (Size, "4KiB", 4096),
        (Size, "12", 12),
        (ByteString, "02 01 0C", b"\x02\x01\x0c"),
        (ByteString, "12", b"\x12"),
        (ByteString, "[1, 2]", b"\x01\x02"),
        (BytePattern, "'?? 02'", "?? 02"),
        (Literal["on", "off"], "on", "on"),
        (Literal[1, 2], "2", 2),
        (Colour, "green", Colour.GREEN),
        (list[int], "[1, 2]", [1, 2]),
        (tuple[str, ...], "[a, 1.0]", ("a", "1.0")),
        (dict[str, int], "{a: 1}", {"a": 1}),
        (dict[int, str], "{0: a}", {0: "a"}),
        (int | str, "5", 5),
        (int | str, "abc", "abc"),
        (str | None, "null", None),
        (str | list[str], "[a]", ["a"]),
        (Interrupt, "{keys: x}", Interrupt(keys="x")),
        (Interrupt | None, "{interval: 1s}", Interrupt(interval=Duration(1))),
        (Secret, "hunter2", "hunter2"),
        (object, "{a: [1, x]}", {"a": [1, "x"]}),
    ],
)
def test_values_of_every_type_are_read(hint: Any, text: str, value: object) -> None:
    assert converted(hint, text) == value


@pytest.mark.parametrize(
    ("hint", "text", "told"),
    [
        (bool, "yes", "m: x: expected true or false, got 'yes' | write true"),
        (bool, "1", "m: x: expected true or false, got 1 | "),
        (int, "'5'", "m: x: expected a whole number, got text '5' | "),
        (int, "true", "m: x: expected a whole number, got true | "),
        (float, "abc", "m: x: expected a number, got 'abc' | "),
        (str, "[a]", "m: x: expected text, got a list | "),
        (str, "", 'm: x: expected text, got nothing | write "" for an empty text'),
        (
            Duration,
            "yesterday",
            "m: x: 'yesterday' is not a duration: write 2s, 500ms, 1m30s, 2h or seconds | ",
        ),
        (Size, "big", "m: x: 'big' is not a size: write 4KiB, 16MiB, 2GB or bytes | "),
        (ByteString, "0g", "m: x: '0g' is not a byte string: write hexadecimal pairs, as in \"02 01\" | "),
        (Literal["on", "off"], "of", "m: x: expected 'on' or 'off', got 'of' | did you mean 'off'?"),
        (Colour, "gren", "m: x: expected 'red' or 'green', got 'gren' | did you mean 'green'?"),
        (list[int], "5", "m: x: expected a list of whole number, got 5 | "),
        (dict[str, int], "5", "m: x: expected a mapping, got 5 | "),
        (dict[int, str], "{a: b}", "m: x: expected a whole number, got 'a' | "),
        (int | None, "abc", "m: x: expected whole number or null, got 'abc' | "),
        (
            Interrupt,
            "{kyes: a}",
            "m: x: it has no argument 'kyes' | did you mean 'keys'?  (keys: text = ' ')",
        ),
        (
            Interrupt,
            "{interval: soon}",
            "m: x: interval: 'soon' is not a duration: write 2s, 500ms, 1m30s, 2h or seconds | ",
        ),
    ],
)
def test_wrong_values_are_told_in_plain_words(hint: Any, text: str, told: str) -> None:
    said = fault(hint, text)

    assert said.split(" as in")[0] == told.split(" as in", maxsplit=1)[0]


def test_limits_are_kept() -> None:
    assert fault(int, "0", minimum=1) == "m: x: 0 is below the minimum of 1 | "
    assert fault(int, "9", maximum=8) == "m: x: 9 is above the maximum of 8 | "


def test_a_file_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(b"x")
    node = loads("image.bin", str(tmp_path / "recipe.yaml"))

    assert convert(parameter(FilePath), node, Faults(), owner="m") == str(tmp_path / "image.bin")
    faults = Faults()
    assert convert(parameter(FilePath), loads("none", str(tmp_path / "r.yaml")), faults, owner="m") is UNBOUND
    assert len(faults) == 1


def test_a_url_is_a_file_that_is_looked_for_later() -> None:
    assert converted(FilePath, "https://images.lab/a.img#sha256=0") == "https://images.lab/a.img#sha256=0"


def test_files_are_relative_to_the_file_that_names_them_also_when_rendered(tmp_path: Path) -> None:
    (tmp_path / "a.img").touch()
    at = Location(str(tmp_path / "r.yaml"), 3, 5)

    assert convert_value(parameter(FilePath), "a.img", at) == str(tmp_path / "a.img")
    assert convert_value(parameter(TargetPath), "new/b.img", at) == str(tmp_path / "new" / "b.img")


def test_conditions_are_kept_as_expressions_with_their_place() -> None:
    assert converted(list[Judged], "a == 1") == [Expression(text="a == 1", at=Location("r.yaml", 1, 1, 6))]
    assert [each.text for each in converted(list[Judged], "[a == 1, b]")] == ["a == 1", "b"]


PARAMETERS = {
    "command": Parameter(name="command", hint=str, required=True, primary=True),
    "timeout": Parameter(name="timeout", hint=Duration, required=False, default=Duration("60s")),
}


def bound(text: str, **more: Any) -> dict[str, Any]:
    faults = Faults()
    found = bind(
        PARAMETERS, loads(text, "r.yaml"), faults, owner="uboot_cmd", at=Location("r.yaml", 1, 1), **more
    )
    faults.raise_if_any()
    return {name: each.value for name, each in found.items()}


def test_a_scalar_sets_the_primary_argument() -> None:
    assert bound("printenv") == {"command": "printenv"}
    assert bound("{command: a, timeout: 2s}") == {"command": "a", "timeout": 2.0}


def test_an_unknown_argument_gets_the_nearest_one_with_its_type_and_default() -> None:
    with pytest.raises(InputError) as caught:
        bound("{command: a, tiemout: 5s}")

    (only,) = caught.value.faults
    assert (only.code, only.message) == ("E231", "uboot_cmd has no argument 'tiemout'")
    assert only.hint == "did you mean 'timeout'?  (timeout: duration = 1m)"
    assert only.at == Location("r.yaml", 1, 14, 7)


def test_a_missing_argument_is_told_with_its_type() -> None:
    with pytest.raises(InputError) as caught:
        bound("{timeout: 5s}")

    assert caught.value.faults[0].message == "uboot_cmd needs 'command'"
    assert caught.value.faults[0].hint == "command: text"


def test_keys_of_the_caller_are_left_alone() -> None:
    assert bound("{command: a, device: uart}", extra=("device",)) == {"command": "a"}


def test_what_holds_a_template_is_bound_later() -> None:
    assert bound("{command: 'x {{ y }}'}") == {"command": UNBOUND}


@pytest.mark.parametrize(
    ("hint", "rendered", "value"),
    [
        (int, "12", 12),
        (int, 12, 12),
        (str, "12", "12"),
        (str, 12, "12"),
        (str, True, "true"),
        (bool, "true", True),
        (ByteString, b"\x01\x02", b"\x01\x02"),
        (list[int], range(2), [0, 1]),
        (Duration, Duration("2s"), 2.0),
        (Interrupt, {"keys": "x"}, Interrupt(keys="x")),
        (Literal["1", "2"], "1", "1"),
        (Any, b"\x01", b"\x01"),
        (dict[str, Any], {"a": b"\x01"}, {"a": b"\x01"}),
    ],
)
def test_rendered_values_are_typed(hint: Any, rendered: object, value: object) -> None:
    assert convert_value(parameter(hint), rendered) == value


def test_a_rendered_value_of_the_wrong_type_is_told_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="expected a whole number, got 'abc'"):
        convert_value(parameter(int), "abc")


def test_types_have_names_that_people_use() -> None:
    assert type_name(dict[str, Duration]) == "mapping of duration"
    assert type_name(Literal["a", "b", "c"]) == "'a', 'b' or 'c'"
    assert type_name(Interrupt) == "mapping (keys, interval)"
