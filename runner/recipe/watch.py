"""``watch:``: what the console watchers of a play allow, add, and leave out."""

from __future__ import annotations

from runner.document import MapNode, Node
from runner.errors import Faults
from runner.recipe.fields import flag, mapping, text, unknown_keys, words

_KEYS = ("allow", "add", "enabled")


def read_watch(node: Node, faults: Faults) -> MapNode | None:
    """Check the shape: ``{allow: [NAME], add: {NAME: PATTERN}, enabled: false}``."""
    read = mapping(node, "watch", faults)
    if read is None:
        return None
    unknown_keys(read.entries, _KEYS, "watch", faults)
    allow, add, enabled = read.get("allow"), read.get("add"), read.get("enabled")
    if allow is not None:
        words(allow, "allow", faults)
    if enabled is not None:
        flag(enabled, "enabled", faults)
    added = mapping(add, "add", faults) if add is not None else None
    for entry in added.entries if added is not None else ():
        text(entry.value, f"pattern {entry.key.text!r}", faults)
    return read
