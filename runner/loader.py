"""Loads YAML 1.2 text into nodes with locations; every fault of a file in one pass."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from runner.document import Entry, ListNode, MapNode, Node, Plain, Scalar
from runner.errors import Fault, Faults, InputError, Location

MAX_DEPTH = 64
MAX_NODES = 200_000
"""How many nodes a file may have once its aliases are followed: more is a mistake or an attack."""

_COMPOSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR_TAG = "tag:yaml.org,2002:str"
_MERGE_KEY = "<<"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_OLD_OCTAL = re.compile(r"[-+]?0[0-9_]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOATS = {
    ".inf": "inf",
    ".Inf": "inf",
    "+.inf": "inf",
    "-.inf": "-inf",
    ".nan": "nan",
    ".NaN": "nan",
}
_NUMBER_START = frozenset("0123456789+-.")


def load(path: str, *, shown: str | None = None) -> Node:
    """Read a file of one YAML document; raise InputError with everything that is wrong with it."""
    name = shown or shown_path(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError([Fault(code="E110", message=f"no such file: {name}")]) from None
    except UnicodeDecodeError as error:
        raise InputError([Fault(code="E111", message=f"{name} is not UTF-8 text: {error.reason}")]) from error
    except OSError as error:
        raise InputError([Fault(code="E110", message=f"{name} cannot be read: {error.strerror}")]) from error
    return loads(text, name, folder=str(Path(path).parent))


def loads(text: str, path: str, *, folder: str = ".") -> Node:
    """Load YAML text; `path` is what errors show, `folder` is where ``!file`` looks."""
    try:
        composed = yaml.compose(text, Loader=_COMPOSER)
    except yaml.MarkedYAMLError as error:
        raise InputError([_syntax_fault(error, text, path)]) from error
    except yaml.YAMLError as error:
        raise InputError([Fault(code="E101", message=str(error), at=Location(path, 1, 1))]) from error
    except RecursionError:
        raise InputError([Fault(code="E105", message=f"nested deeper than {MAX_DEPTH} levels")]) from None
    faults = Faults()
    if composed is None:
        return Scalar(Location(path, 1, 1), None, "")
    node = _Builder(path, folder, faults).build(composed)
    faults.raise_if_any()
    return node


def shown_path(path: str) -> str:
    """Return a path as people like to see it: relative when it is below the current folder."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def core_value(text: str) -> Plain:
    """Return what a plain scalar means in YAML 1.2's core schema (section 10.3.2).

    >>> core_value("0x1F"), core_value("yes"), core_value("1e3"), core_value("~")
    (31, 'yes', 1000.0, None)
    """
    if text[:1] not in _NUMBER_START:
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        return None if text in _NULL else text
    if _INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(_SPECIAL_FLOATS[text]) if text in _SPECIAL_FLOATS else text


class _Builder:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, path: str, folder: str, faults: Faults) -> None:
        self._path = path
        self._folder = folder
        self._faults = faults
        self._count = 0

    def build(self, node: yaml.Node, depth: int = 1) -> Node:
        self._count += 1
        if depth > MAX_DEPTH:
            raise InputError(
                [Fault(code="E105", message=f"nested deeper than {MAX_DEPTH} levels", at=self._at(node))]
            )
        if self._count > MAX_NODES:
            raise InputError(
                [
                    Fault(
                        code="E106",
                        message=f"more than {MAX_NODES} values once aliases are followed",
                        at=self._at(node),
                    )
                ]
            )
        if node.tag.startswith("!"):
            return self._tagged(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            items = tuple([self.build(item, depth + 1) for item in node.value])
            return ListNode(self._at(node), items, any(item.templated for item in items))
        if not isinstance(node, yaml.MappingNode):
            raise TypeError(f"PyYAML composed {type(node).__name__}")
        return self._mapping(node, depth)

    def _at(self, node: yaml.Node) -> Location:
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Location(self._path, start.line + 1, start.column + 1, max(1, length))

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        text = node.value
        if node.style in {"'", '"'} or node.style in {"|", ">"}:
            return Scalar(self._at(node), text, text, quoted=True)
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        at = Location(self._path, start.line + 1, start.column + 1, max(1, length))
        return Scalar(at, self._value(text, at), text)

    def _value(self, text: str, at: Location) -> Plain:
        value = core_value(text)
        if isinstance(value, (str, float)) and text[:1] in _NUMBER_START and _OLD_OCTAL.fullmatch(text):
            self._faults.add(
                "E103",
                f"{text} starts with a zero: a number or text?",
                at=at,
                hint=f'write 0o{text.lstrip("+-0_") or "0"} for an octal number, "{text}" for text',
            )
            return text
        return value

    def _mapping(self, node: yaml.MappingNode, depth: int) -> MapNode:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._odd_key(key_node)
                continue
            if key_node.value == _MERGE_KEY and not key_node.style:
                merged.update(
                    {name: entry for name, entry in self._merge(value_node, depth) if name not in merged}
                )
                continue
            self._enter(entries, key_node, value_node, depth)
        whole = {**{name: entry for name, entry in merged.items() if name not in entries}, **entries}
        found = tuple(whole.values())
        return MapNode(self._at(node), found, any(entry.value.templated for entry in found))

    def _odd_key(self, node: yaml.Node) -> None:
        at = self._at(node)
        if isinstance(node, yaml.MappingNode):
            hint = 'write "{{ … }}" in quotes'
            self._faults.add("E101", "the value starts with {{: quote it", at=at, hint=hint)
        else:
            self._faults.add("E104", "a key is a single word or text", at=at)

    def _enter(
        self, entries: dict[str, Entry], key_node: yaml.ScalarNode, value_node: yaml.Node, depth: int
    ) -> None:
        key = self._scalar(key_node)
        before = entries.get(key.text)
        if before is not None:
            self._faults.add(
                "E102", f"{key.text!r} is here twice: first at line {before.key.at.line}", at=key.at
            )
            return
        entries[key.text] = Entry(key, self.build(value_node, depth + 1))

    def _merge(self, node: yaml.Node, depth: int) -> Iterator[tuple[str, Entry]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._faults.add("E107", "<<: merges a mapping, or a list of them", at=self._at(source))
                continue
            for entry in self._mapping(source, depth + 1):
                yield entry.key.text, entry

    # --- tags ------------------------------------------------------------------------------------

    def _tagged(self, node: yaml.Node) -> Node:
        at = self._at(node)
        match node.tag:
            case "!env":
                return self._env(node, at)
            case "!file":
                return self._file(node, at)
            case "!secret":
                return self._secret(node, at)
        self._faults.add("E108", f"no tag {node.tag}", at=at, hint="there are !env, !file and !secret")
        return Scalar(at, None, "")

    def _env(self, node: yaml.Node, at: Location, *, secret: bool = False) -> Scalar:
        name, default = node.value, None
        if isinstance(node, yaml.MappingNode):
            given = {
                key.value: value.value for key, value in node.value if isinstance(value, yaml.ScalarNode)
            }
            name, default = given.get("name", ""), given.get("default")
            if set(given) - {"name", "default"} or not name:
                self._faults.add("E109", "!env takes a name, or {name: X, default: y}", at=at)
                return Scalar(at, None, "")
        if not isinstance(name, str):
            self._faults.add("E109", "!env takes a name, or {name: X, default: y}", at=at)
            return Scalar(at, None, "")
        value = os.environ.get(name, default)
        if value is None:
            self._faults.add(
                "E112",
                f"environment variable {name} is not set",
                at=at,
                hint=f"!env {{name: {name}, default: …}}",
            )
            return Scalar(at, None, "")
        return Scalar(at, value, value, quoted=True, secret=secret, literal=True)

    def _file(self, node: yaml.Node, at: Location, *, secret: bool = False) -> Scalar:
        name = node.value if isinstance(node, yaml.ScalarNode) else ""
        if not name:
            self._faults.add("E109", "!file takes the path of a file", at=at)
            return Scalar(at, None, "")
        path = Path(self._folder) / name
        try:
            text = path.read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self._faults.add("E113", f"{name} cannot be read: {reason}", at=at)
            return Scalar(at, None, "")
        return Scalar(at, text, text, quoted=True, secret=secret, literal=True)

    def _secret(self, node: yaml.Node, at: Location) -> Scalar:
        if isinstance(node, yaml.ScalarNode):
            return Scalar(at, node.value, node.value, quoted=True, secret=True, literal=True)
        if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
            key, value = node.value[0]
            if key.value == "env":
                return self._env(value, at, secret=True)
            if key.value == "file":
                return self._file(value, at, secret=True)
        self._faults.add("E109", "!secret takes a text, {env: NAME} or {file: PATH}", at=at)
        return Scalar(at, None, "", secret=True)


# --- syntax errors, in our words -----------------------------------------------------------------


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, path: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    column = mark.column + 1 if mark else 1
    lines = text.splitlines()
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    found = _unquoted_template(lines, line, path) or _tab(source, line, path)
    if found is not None:
        return found
    problem = (error.problem or "not valid YAML").replace(
        "found character '\\t' that cannot start any token", "a tab"
    )
    context = f" {error.context}" if error.context else ""
    hints = {
        "mapping values are not allowed": "quote the value when it holds ': ', or check the indentation",
        "could not find expected ':'": "a key is followed by ': '",
        "did not find expected key": "check the indentation and the quotes above",
        "did not find expected '-' indicator": "items of one list begin in one column",
        "unexpected end of stream": "a quote or a bracket is not closed",
        "undefined alias": "an alias *name needs an anchor &name before it",
    }
    hint = next((words for start, words in hints.items() if start in problem), "")
    return Fault(code="E101", message=f"{problem}{context}", at=Location(path, line, column), hint=hint)


def _unquoted_template(lines: list[str], line: int, path: str) -> Fault | None:
    for number in (line, line - 1):
        source = lines[number - 1] if 0 < number <= len(lines) else ""
        match = re.search(r"(?:[:\-]\s+)(\{\{.*)$", source)
        if match:
            quoted = source[: match.start(1)].strip() + ' "' + match[1].rstrip().replace('"', "'") + '"'
            return Fault(
                code="E101",
                message="the value starts with {{: quote it",
                at=Location(path, number, match.start(1) + 1, len(match[1])),
                hint=quoted,
            )
    return None


def _tab(source: str, line: int, path: str) -> Fault | None:
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" not in indent:
        return None
    return Fault(
        code="E101",
        message="indented with a tab: YAML wants spaces",
        at=Location(path, line, indent.index("\t") + 1),
    )
