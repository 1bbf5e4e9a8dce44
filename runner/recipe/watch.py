"""``watch:``: what the watchers of consoles allow in a play, and what they know besides."""

from __future__ import annotations

from runner.document import Node, Scalar
from runner.errors import Faults, did_you_mean
from runner.model import Watch
from runner.recipe.fields import flag, listed, mapping, sequence, text, unknown_keys

_KEYS = ("allow", "add")
_ADDED = ("name", "pattern")


def read_watch(node: Node, faults: Faults) -> Watch | None:
    """Read ``true``, ``false`` or ``{allow: [NAME], add: [{name: NAME, pattern: PATTERN}]}``."""
    if isinstance(node, Scalar):
        return Watch(enabled=flag(node, "watch", faults))
    read = mapping(node, "watch", faults)
    if read is None:
        return None
    unknown_keys(read.entries, _KEYS, "watch", faults)
    allow, add = read.get("allow"), read.get("add")
    added = [_added(item, faults) for item in sequence(add, "add", faults)] if add is not None else []
    return Watch(
        allow=_allowed(allow, faults) if allow is not None else (),
        added={name: pattern for name, pattern in added if name and pattern},
    )


def _allowed(node: Node, faults: Faults) -> tuple[str, ...]:
    from runner.console.watched import TITLES

    names = {text(item, "allow", faults): item for item in listed(node)}
    for name, item in names.items():
        if name and name not in TITLES:
            hint = did_you_mean(name, TITLES) or f"there are: {', '.join(TITLES)}"
            faults.add("E243", f"no watcher {name!r}", at=item.at, hint=hint)
    return tuple(name for name in names if name)


def _added(node: Node, faults: Faults) -> tuple[str, str]:
    from runner.console.pattern import regex
    from runner.console.watched import TITLES

    read = mapping(node, "a watcher in 'add'", faults)
    if read is None:
        return "", ""
    unknown_keys(read.entries, _ADDED, "a watcher in 'add'", faults)
    given = {key: read.get(key) for key in _ADDED}
    for key, value in given.items():
        if value is None:
            faults.add("E243", f"a watcher in 'add' has no {key!r}", at=read.at, hint="{name: …, pattern: …}")
    name, pattern = (text(value, key, faults) if value is not None else "" for key, value in given.items())
    if name in TITLES and given["name"] is not None:
        at = given["name"].at
        faults.add("E243", f"a watcher {name!r} is there already", at=at, hint="give it another name")
    if pattern and given["pattern"] is not None:
        try:
            regex(pattern, name)
        except ValueError as error:
            faults.add("E243", f"pattern of watcher {name!r}: {error}", at=given["pattern"].at)
    return name, pattern
