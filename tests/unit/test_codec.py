"""Values cross between controller and agent as they are."""

import enum
import json
from dataclasses import dataclass
from typing import Any

import pytest

from runner.api import ByteString, Duration, Options, Result, Size, arg
from runner.api.codec import decode, encode


class Colour(enum.Enum):
    RED = "red"


class Inner(Options):
    """Options inside."""

    keys: str = arg(default=" ", help="x")
    interval: Duration = arg(default=Duration(1), help="x")


class Outer(Result):
    """A result."""

    data: bytes
    rows: list[dict[str, int]]
    inner: Inner | None = None


@dataclass(frozen=True)
class Frame:
    data: ByteString
    time: float = 0.0


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (str, "x"),
        (str | list[str], ["a", "b"]),
        (str | list[str], "a"),
        (int | str, 2**70),
        (int | str, "5"),
        (float, 1.5),
        (Duration | None, None),
        (Duration | None, Duration("90s")),
        (Size | str, Size(5)),
        (bytes, bytes(range(256))),
        (ByteString, ByteString("01 02")),
        (tuple[str, ...], ("a", "b")),
        (tuple[int, str], (1, "a")),
        (dict[str, Duration], {"a": Duration(2)}),
        (Colour, Colour.RED),
        (Frame, Frame(ByteString("01"))),
        (Outer, Outer(data=b"\xff", rows=[{"a": 1}], inner=Inner(keys="q"))),
        (tuple[Frame, ...], (Frame(ByteString("01")), Frame(ByteString("")))),
        (Any, {"a": [1, None]}),
        (bool | str, True),
        (list[str] | bool, False),
    ],
)
def test_a_value_comes_back_equal_and_of_its_type(hint: Any, value: object) -> None:
    again = decode(hint, json.loads(json.dumps(encode(value))))

    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("hint", "value"), [(str, ["a"]), (int, "5"), (float, "1"), (int, True), (str | None, 5)]
)
def test_a_value_of_another_type_is_refused(hint: Any, value: object) -> None:
    with pytest.raises(TypeError):
        decode(hint, value)


def test_what_cannot_travel_is_refused() -> None:
    with pytest.raises(TypeError, match="object cannot travel"):
        encode({"x": object()})
