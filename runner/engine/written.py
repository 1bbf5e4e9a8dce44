"""The secrets that a recipe or an inventory holds as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from runner.api.values import Duration
from runner.document import ListNode, MapNode, Scalar
from runner.errors import Location

_MODEL = "runner.model"
_PLAIN = frozenset({str, bool, int, float, Location, Duration})


def secrets_in(written: object) -> Iterator[str]:
    """Go through all values with ``!secret``, anywhere in nodes or in a model that is made of them."""
    left = [written]
    while left:
        value = left.pop()
        if isinstance(value, Scalar):
            if value.secret:
                yield str(value.value)
        elif isinstance(value, MapNode):
            left.extend(entry.value for entry in value.entries)
        elif isinstance(value, ListNode):
            left.extend(value.items)
        elif isinstance(value, (tuple, list)):
            left.extend(value)
        elif isinstance(value, (dict, MappingProxyType)):
            left.extend(value.values())
        elif type(value).__module__ == _MODEL:
            said = (getattr(value, name) for name in getattr(value, "__dataclass_fields__", ()))
            left.extend(each for each in said if each and type(each) not in _PLAIN)
