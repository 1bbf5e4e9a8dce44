"""Whole-number expressions of a shell (POSIX.1-2017, Shell Command Language 2.6.4): no assignments."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

_TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&^|!~?:()])")
_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda left, right: int(bool(left or right))},
    {"&&": lambda left, right: int(bool(left and right))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": lambda left, right: int(left == right), "!=": lambda left, right: int(left != right)},
    {
        "<": lambda left, right: int(left < right),
        ">": lambda left, right: int(left > right),
        "<=": lambda left, right: int(left <= right),
        ">=": lambda left, right: int(left >= right),
    },
    {"<<": lambda left, right: left << min(right, 64), ">>": lambda left, right: left >> min(right, 64)},
    {"+": operator.add, "-": operator.sub},
    {
        "*": operator.mul,
        "/": lambda left, right: int(left / right),
        "%": lambda left, right: left - right * int(left / right),
    },
)
_UNARY: Mapping[str, Callable[[int], int]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
    "!": lambda value: int(not value),
}


def calculate(expression: str, variables: Mapping[str, str]) -> int:
    """Work out an expression; raise ValueError when it is none.

    >>> calculate("x < 3 ? (1 + 2) * x : 0", {"x": "2"})
    6
    """
    return _Reader(_tokens(expression), variables).whole()


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise ValueError(f"arithmetic syntax error: {text}")
        found.append(match[1])
        position = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[str], variables: Mapping[str, str]) -> None:
        self._tokens = [*tokens, ""]
        self._position = 0
        self._variables = variables

    def whole(self) -> int:
        value = self._choice() if self._tokens[0] else 0
        if self._symbol:
            raise ValueError(f"arithmetic syntax error at {self._symbol!r}")
        return value

    @property
    def _symbol(self) -> str:
        return self._tokens[self._position]

    def _choice(self) -> int:
        value = self._level(0)
        if self._symbol != "?":
            return value
        self._position += 1
        yes = self._choice()
        self._expect(":")
        no = self._choice()
        return yes if value else no

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._operand()
        value = self._level(level + 1)
        while (work := _LEVELS[level].get(self._symbol)) is not None:
            self._position += 1
            right = self._level(level + 1)
            if not right and work in (_LEVELS[-1]["/"], _LEVELS[-1]["%"]):
                raise ValueError("divide by zero")
            value = work(value, right)
        return value

    def _operand(self) -> int:
        symbol = self._symbol
        self._position += 1
        if symbol in _UNARY:
            return _UNARY[symbol](self._operand())
        if symbol == "(":
            value = self._choice()
            self._expect(")")
            return value
        if symbol[:1].isdigit():
            return int(symbol, 16 if symbol[:2] in ("0x", "0X") else 8 if symbol[0] == "0" else 10)
        if not symbol.isidentifier():
            raise ValueError(f"arithmetic syntax error at {symbol!r}")
        return int(self._variables.get(symbol, "") or "0", 0)

    def _expect(self, wanted: str) -> None:
        if self._symbol != wanted:
            raise ValueError(f"arithmetic syntax error: {wanted!r} is missing")
        self._position += 1
