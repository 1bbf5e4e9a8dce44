"""The tags ``!env NAME``, ``!file PATH``, ``!secret VALUE``; what they bring in is never a template."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from runner.document import MapNode, Node, Scalar
from runner.errors import Faults, Location, did_you_mean
from runner.loader.fence import Fence
from runner.loader.scalars import faithful_value

TAGS = ("!env", "!file", "!secret")
_YAML = "tag:yaml.org,2002:"


class Tags:
    """Resolves tags: files relative to `folder`, variables from `environment`."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        faults: Faults,
        fence: Fence | None = None,
    ) -> None:
        """Note in `faults` what is missing or written wrongly, or lies outside of the fence."""
        self._folder = folder
        self._environment = environment
        self._faults = faults
        self._fence = fence

    def resolve(self, tag: str, node: Node) -> Scalar:
        """Return what a tagged node stands for; null, with a fault noted, when that cannot be known."""
        match tag:
            case "!env":
                return self._env(node, node.at)
            case "!file":
                return self._file(node, node.at)
            case "!secret":
                return self._secret(node)
        self._unknown(tag, node.at)
        return _nothing(node.at)

    def _unknown(self, tag: str, at: Location) -> None:
        if tag.startswith(_YAML):
            shown = f"!!{tag.removeprefix(_YAML)}"
            hint = "quote what is text; a number or true stands as it is"
        else:
            shown, hint = tag, did_you_mean(tag, TAGS) or "there are !env, !file and !secret"
        self._faults.add("E108", f"no tag {shown}", at=at, hint=hint)

    def _env(self, node: Node, at: Location) -> Scalar:
        name, default = _name_and_default(node)
        if not name:
            return self._wrong("!env takes a name, or {name: NAME, default: VALUE}", at)
        if self._fence is not None:
            hint = "a recipe that is not trusted gets its values with -e"
            self._faults.add("E603", f"!env asks for ${name}", at=at, hint=hint)
            return _nothing(at)
        text = self._environment.get(name)
        if text is not None:
            return Scalar(at, faithful_value(text), text, literal=True)
        if default is not None:
            return dataclasses.replace(default, at=at, literal=True)
        hint = f"set it, or write !env {{name: {name}, default: …}}"
        self._faults.add("E112", f"environment variable {name} is not set", at=at, hint=hint)
        return _nothing(at)

    def _file(self, node: Node, at: Location) -> Scalar:
        if not isinstance(node, Scalar) or not node.text:
            return self._wrong("!file takes the path of a file", at)
        if node.templated:
            return self._wrong("!file reads when the recipe is loaded: its path cannot hold a template", at)
        if self._fence is not None and not self._fence.holds(self._folder / Path(node.text).expanduser()):
            hint = "a recipe that is not trusted reads its own files only"
            self._faults.add("E604", f"{node.text} is not in the recipe's folder", at=at, hint=hint)
            return _nothing(at)
        try:
            text = (self._folder / Path(node.text).expanduser()).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, ValueError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else _unreadable(error)
            hint = f"looked for {self._folder / node.text}"
            self._faults.add("E113", f"{node.text} cannot be read: {reason}", at=at, hint=hint)
            return _nothing(at)
        return Scalar(at, text, text, quoted=True, literal=True)

    def _secret(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return dataclasses.replace(node, secret=True, literal=True)
        if isinstance(node, MapNode) and len(node) == 1:
            entry = node.entries[0]
            if entry.key.text == "env":
                return dataclasses.replace(self._env(entry.value, node.at), secret=True)
            if entry.key.text == "file":
                return dataclasses.replace(self._file(entry.value, node.at), secret=True)
        return self._wrong("!secret takes a text, {env: NAME} or {file: PATH}", node.at)

    def _wrong(self, message: str, at: Location) -> Scalar:
        self._faults.add("E109", message, at=at)
        return _nothing(at)


def _name_and_default(node: Node) -> tuple[str, Scalar | None]:
    if isinstance(node, Scalar):
        return node.text, None
    if isinstance(node, MapNode) and set(node.names()) <= {"name", "default"}:
        name, default = node.get("name"), node.get("default")
        if isinstance(name, Scalar) and (default is None or isinstance(default, Scalar)):
            return name.text, default
    return "", None


def _nothing(at: Location) -> Scalar:
    return Scalar(at, None, "", literal=True)


def _unreadable(error: Exception) -> str:
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
