"""``requires_runner``: which versions of this program a recipe was written for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from runner.document import Node
from runner.errors import Faults
from runner.recipe.fields import text

_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)")
_HOLDS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda have, want: have >= want,
    "<=": lambda have, want: have <= want,
    "==": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    ">": lambda have, want: have > want,
    "<": lambda have, want: have < want,
}


def check_version(node: Node, version: str, faults: Faults) -> None:
    """Note a fault when `version` of this program is not one that the recipe asks for."""
    wanted = text(node, "requires_runner", faults)
    if not wanted:
        return
    for clause in wanted.split(","):
        match = _CLAUSE.fullmatch(clause.strip())
        if match is None:
            faults.add(
                "E218",
                f"requires_runner: {clause.strip()!r} is not a condition on a version",
                at=node.at,
                hint='write it as ">=0.1" or ">=0.1,<1"',
            )
        elif not holds(version, match[1], match[2]):
            faults.add(
                "E218",
                f"the recipe needs runner {wanted}, this is {version}",
                at=node.at,
                hint="install another version of runner, or change requires_runner",
            )
            return


def holds(version: str, operator: str, wanted: str) -> bool:
    """Compare two versions by their numbers.

    >>> holds("0.10.0", ">=", "0.9")
    True
    >>> holds("1.0", "==", "1.0.0")
    True
    """
    return _HOLDS[operator](_numbers(version), _numbers(wanted))


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4]]
    return tuple(numbers + [0] * (4 - len(numbers)))
