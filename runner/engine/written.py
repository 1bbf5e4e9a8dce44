"""The secrets that a recipe or an inventory holds as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.document import ListNode, MapNode, Scalar

_MODEL = "runner.model"


def secrets_in(written: object) -> Iterator[str]:
    """Go through all values with ``!secret``, anywhere in nodes or in a model that is made of them."""
    match written:
        case Scalar():
            if written.secret:
                yield str(written.value)
        case MapNode():
            for entry in written:
                yield from secrets_in(entry.value)
        case ListNode() | tuple() | list():
            for item in written:
                yield from secrets_in(item)
        case Mapping():
            yield from secrets_in(list(written.values()))
        case _ if type(written).__module__ == _MODEL:
            for name in type(written).__dataclass_fields__:  # type: ignore[attr-defined]
                yield from secrets_in(getattr(written, name))
