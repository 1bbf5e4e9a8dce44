"""Values of the recipe's own keys, typed when they are read: text, flags, numbers, durations, lists.

Each reader returns None (or an empty text or tuple) after it has noted a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.api.values import Duration
from runner.document import Entry, ListNode, MapNode, Node, Scalar, plain
from runner.errors import Faults, Location, did_you_mean

WRONG_KIND = "E200"
TEMPLATE_HERE = "E229"


def inside(scalar: Scalar) -> Location:
    """Return where the text of a scalar begins: behind the quote, if there is one."""
    at = scalar.at
    if not scalar.quoted:
        return at
    return Location(at.path, at.line, at.column + 1, max(1, at.length - 2))


def shown(node: Node) -> str:
    """Write a node for a message: a scalar as it stands, else what it is."""
    match node:
        case Scalar(secret=True):
            return "a secret"
        case Scalar(text=text, quoted=quoted):
            return repr(text) if quoted or text else "nothing"
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"


def is_nothing(node: Node) -> bool:
    """Tell whether a key was given no value."""
    return isinstance(node, Scalar) and node.value is None


def wrong(node: Node, what: str, wanted: str, faults: Faults, *, hint: str = "") -> None:
    """Note that `what` has a value of the wrong kind."""
    faults.add(WRONG_KIND, f"{what} must be {wanted}, got {shown(node)}", at=node.at, hint=hint)


def text(node: Node, what: str, faults: Faults) -> str:
    """Read text that must be known before the run."""
    if not isinstance(node, Scalar) or node.value is None:
        wrong(node, what, "text", faults)
        return ""
    if node.templated:
        faults.add(
            TEMPLATE_HERE,
            f"{what} cannot hold a template",
            at=node.at,
            hint=f"{what} must be known before the run: write it out",
        )
        return ""
    return node.value if isinstance(node.value, str) else node.text


def flag(node: Node, what: str, faults: Faults) -> bool:
    """Read true or false."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    meant = words.get(node.text.lower(), "") if isinstance(node, Scalar) else ""
    if isinstance(node, Scalar) and node.text.lower() in {"true", "false"}:
        meant = node.text.lower()
    wrong(node, what, "true or false", faults, hint=f"write {meant}" if meant else "")
    return False


def count(node: Node, what: str, faults: Faults, *, least: int = 0) -> int | None:
    """Read a whole number that is not less than `least`."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    wrong(node, what, f"a whole number from {least} on", faults)
    return None


def duration(node: Node, what: str, faults: Faults) -> Duration | None:
    """Read a length of time that must be known before the run."""
    if isinstance(node, Scalar) and isinstance(node.value, (str, int, float)):
        if node.templated:
            text(node, what, faults)
            return None
        try:
            return Duration(node.value)
        except ValueError:
            pass
    wrong(node, what, "a duration", faults, hint="write 2s, 500ms, 1m30s, 2h or seconds")
    return None


def limit(node: Node, what: str, faults: Faults) -> Node | None:
    """Read a length of time that may hold a template."""
    if isinstance(node, Scalar) and node.templated:
        return node
    return node if duration(node, what, faults) is not None else None


def choice(node: Node, what: str, allowed: Sequence[str], faults: Faults) -> str:
    """Read one of a few words."""
    given = text(node, what, faults)
    if given in allowed or not given:
        return given
    faults.add(
        WRONG_KIND,
        f"{what} must be one of {', '.join(allowed)}, got {given!r}",
        at=node.at,
        hint=did_you_mean(given, allowed),
    )
    return ""


def mapping(node: Node, what: str, faults: Faults) -> MapNode | None:
    """Read a mapping."""
    if isinstance(node, MapNode):
        return node
    wrong(node, what, "a mapping", faults)
    return None


def sequence(node: Node, what: str, faults: Faults) -> tuple[Node, ...]:
    """Read a list; nothing at all is an empty one."""
    if isinstance(node, ListNode):
        return node.items
    if not is_nothing(node):
        hint = "begin each item with '- '" if isinstance(node, MapNode) else ""
        wrong(node, what, "a list", faults, hint=hint)
    return ()


def listed(node: Node) -> tuple[Node, ...]:
    """Return the items of a list, or the one thing that stands in its place."""
    return node.items if isinstance(node, ListNode) else (node,)


def words(node: Node, what: str, faults: Faults) -> tuple[str, ...]:
    """Read one word or a list of them."""
    found = (text(item, what, faults) for item in listed(node))
    return tuple(word for word in found if word)


def free(node: Node, what: str, faults: Faults) -> Mapping[str, Any]:
    """Read a mapping of free data, which holds no templates."""
    read = mapping(node, what, faults)
    if read is None:
        return {}
    if read.templated:
        faults.add("E299", f"templates in {what} are not supported yet", at=read.at)
    value = plain(read)
    return value if isinstance(value, dict) else {}


def variables(node: Node, what: str, faults: Faults) -> Mapping[str, Node]:
    """Read definitions of variables."""
    from runner.recipe.identifiers import check_identifier

    read = mapping(node, what, faults)
    if read is None:
        return {}
    for entry in read.entries:
        check_identifier(entry.key, "variable", faults)
    return {entry.key.text: entry.value for entry in read.entries}


def keyed(node: MapNode) -> dict[str, Entry]:
    """Return the entries of a mapping by key."""
    return {entry.key.text: entry for entry in node.entries}


def unknown_keys(
    entries: Iterable[Entry],
    known: Iterable[str],
    owner: str,
    faults: Faults,
    *,
    foreign: Mapping[str, str] | None = None,
) -> None:
    """Note every key that `owner` (``a test``) does not have; `foreign` maps known mistakes to hints."""
    allowed = tuple(known)
    for entry in entries:
        name = entry.key.text
        if name in allowed:
            continue
        if foreign and name in foreign:
            faults.add("E207", f"{name!r} is not a word of recipes", at=entry.key.at, hint=foreign[name])
            continue
        hint = did_you_mean(name, allowed) or f"{owner} has: {', '.join(allowed)}"
        faults.add("E202", f"{owner} has no key {name!r}", at=entry.key.at, hint=hint)
