"""The file in which a host says what may be done with it: lines of ``key = value, …``, read strictly.

Hosts have Python 3.10 and its standard library, so it is neither YAML nor TOML; and a refusal
names the line, which `configparser` forgets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from runner.api.values import Duration
from runner.api.verdicts import LabError

PATH = "/etc/runner/policy.conf"
LISTS = ("users", "benches", "modules", "drivers", "devices", "forwards")
_WORDS = {"commands": ("no", "yes"), "code": ("built-in", "own", "installed")}
KEYS = (*LISTS, *_WORDS, "max_hold")
_SECTION = re.compile(r"\[user ([^\]]+)\]")
_HINT = f"docs: 'Say what may be done on a host'; the keys are {', '.join(KEYS)}"


@dataclass(frozen=True)
class Line:
    """One key with its values. `at` is the file and the line."""

    key: str
    values: tuple[str, ...]
    at: str

    def __str__(self) -> str:
        """Write it as a refusal quotes it."""
        return f"{self.at}: {self.key} = {', '.join(self.values)}"

    def allows(self, name: str) -> bool:
        """Tell whether a name matches one of the patterns, and none of those behind ``!``."""
        wanted = [each for each in self.values if not each.startswith("!")]
        unwanted = [each[1:] for each in self.values if each.startswith("!")]
        return any(fnmatchcase(name, each) for each in wanted) and not any(
            fnmatchcase(name, each) for each in unwanted
        )


def read_lines(path: str, user: str) -> dict[str, Line] | None:
    """Return what a file says about a user, key by key; None when there is no such file.

    What cannot be read or understood raises LabError: a host that has a policy never does without.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(
            f"the host's policy {path} cannot be read, so nothing may be done: {error}",
            hint="everybody who uses the host has to be able to read it: chmod a+r",
        ) from error
    return lines_of(text, path, user)


def lines_of(text: str, path: str, user: str) -> dict[str, Line]:
    r"""Return what the text says about a user; a key in a section for that user wins.

    >>> lines_of("commands = no\n[user ci, lab-*]\ncommands = yes\n", "p", "lab-1")["commands"].at
    'p:3'
    """
    common: dict[str, Line] = {}
    own: dict[str, Line] = {}
    target: dict[str, Line] | None = common
    for number, written in _written(text):
        at = f"{path}:{number}"
        section = _SECTION.fullmatch(written)
        if section is not None:
            target = own if any(fnmatchcase(user, each) for each in _values(section[1])) else None
            continue
        line = _line(written, at)
        if target is None:
            continue
        if line.key in target:
            raise _wrong(at, f"{line.key} stands in {target[line.key].at} already")
        target[line.key] = line
    return {**common, **own}


def seconds_of(line: Line) -> float:
    """Return the time that a line names."""
    return float(Duration(line.values[0]))


def _written(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.partition("#")[0].strip()
        if written:
            yield number, written


def _line(written: str, at: str) -> Line:
    key, equals, rest = (each.strip() for each in written.partition("="))
    values = _values(rest)
    if not equals or key not in KEYS:
        raise _wrong(at, f"{written!r} is no line of a policy")
    if key in _WORDS and (len(values) != 1 or values[0] not in _WORDS[key]):
        raise _wrong(at, f"{key} is {' or '.join(_WORDS[key])}, not {rest!r}")
    if key == "max_hold" and not _is_time(values):
        raise _wrong(at, f"max_hold is a time as 30m or 2h, not {rest!r}")
    return Line(key, values, at)


def _values(text: str) -> tuple[str, ...]:
    return tuple(each for each in (part.strip() for part in text.split(",")) if each)


def _is_time(values: tuple[str, ...]) -> bool:
    try:
        return len(values) == 1 and Duration(values[0]) > 0
    except ValueError:
        return False


def _wrong(at: str, why: str) -> LabError:
    return LabError(f"{at}: {why}, so nothing may be done on this host", evidence={"policy": at}, hint=_HINT)
