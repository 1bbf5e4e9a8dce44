"""Arithmetic on whole numbers, written in a recipe or an inventory: how a key follows from a seed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_TWO: Mapping[type[ast.operator], Callable[[int, int], int]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
        ast.BitXor: operator.xor,
        ast.BitAnd: operator.and_,
        ast.BitOr: operator.or_,
        ast.LShift: lambda value, places: value << min(places, 4096),
        ast.RShift: operator.rshift,
    }
)
_ONE: Mapping[type[ast.unaryop], Callable[[int], int]] = MappingProxyType(
    {ast.Invert: operator.invert, ast.USub: operator.neg}
)


class Formula:
    """Whole numbers, names, brackets and the operators + - * // % ^ & | ~ << >>; nothing else.

    >>> Formula("(seed ^ 0xFF) + 1", "seed").value(seed=0x0F)
    241
    """

    def __init__(self, text: str, *names: str) -> None:
        """Read it; raise ValueError for what is no such formula."""
        self._text = text
        self._names = names
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"{text!r} is no formula: {error.msg}") from error
        self._check(self._tree)

    def value(self, **names: int) -> int:
        """Return what comes out; raise ValueError where nothing does."""
        try:
            return self._value(self._tree, names)
        except (ZeroDivisionError, OverflowError) as error:
            raise ValueError(f"{self._text!r} has no value for {names}: {error}") from error

    def _check(self, node: ast.AST) -> None:
        match node:
            case ast.Constant(value=int()):
                return
            case ast.Name(id=name) if name in self._names:
                return
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _TWO:
                self._check(left)
                self._check(right)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _ONE:
                self._check(operand)
            case _:
                wrong = ast.get_source_segment(self._text.strip(), node) or self._text
                raise ValueError(
                    f"{wrong!r} cannot stand in a formula: it has whole numbers, {', '.join(self._names)}, "
                    "brackets and + - * // % ^ & | ~ << >>"
                )

    def _value(self, node: Any, names: Mapping[str, int]) -> int:
        match node:
            case ast.Constant(value=value):
                return int(str(value))
            case ast.Name(id=name):
                return names[name]
            case ast.UnaryOp(op=op, operand=operand):
                return _ONE[type(op)](self._value(operand, names))
            case _:
                return _TWO[type(node.op)](self._value(node.left, names), self._value(node.right, names))


def key_of(formula: str, seed: bytes, level: int) -> bytes:
    """Return the key to a seed, as long as the seed: its last bytes when the formula gives more.

    >>> key_of("seed ^ 0x5A5A", bytes.fromhex("1234"), 1).hex()
    '486e'
    """
    value = Formula(formula, "seed", "level").value(seed=int.from_bytes(seed, "big"), level=level)
    return (value % (1 << (8 * len(seed)))).to_bytes(len(seed), "big")
