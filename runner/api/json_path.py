"""Finds a value in what an instrument answered in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def at_path(document: object, path: str) -> object:
    """Return what is at a path of keys and places (from 0), joined by dots; empty: all of it.

    Raise LookupError with one sentence that says what is there instead.

    >>> at_path({"relays": [{"ison": True}]}, "relays.0.ison")
    True
    """
    found = document
    walked: list[str] = []
    for step in path.split(".") if path else ():
        found = _inside(found, step, ".".join(walked))
        walked.append(step)
    return found


def parsed(text: bytes | str) -> object:
    """Return what JSON means; raise ValueError with one sentence when it is none."""
    try:
        found: object = json.loads(text)
    except ValueError as error:  # also a UnicodeDecodeError
        raise ValueError(f"{shown(text)} is no JSON: {error}") from error
    return found


def shown(text: bytes | str, most: int = 120) -> str:
    """Write an answer for a message, cut where it gets long.

    >>> shown(b"<html>")
    "'<html>'"
    """
    plain = text if isinstance(text, str) else text.decode(errors="replace")
    return repr(plain if len(plain) <= most else f"{plain[:most]}…")


def _inside(found: object, step: str, walked: str) -> object:
    at = f" at {walked!r}" if walked else ""
    if isinstance(found, Mapping):
        if step in found:
            return found[step]
        raise LookupError(f"no {step!r}{at}: there is {', '.join(map(repr, found)) or 'nothing'}")
    if isinstance(found, Sequence) and not isinstance(found, str):
        if step.isdecimal() and int(step) < len(found):
            return found[int(step)]
        raise LookupError(f"no {step!r}{at}: there is a list of {len(found)}")
    raise LookupError(f"no {step!r}{at}: there is {json.dumps(found)}")
