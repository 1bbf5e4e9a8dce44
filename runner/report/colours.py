"""Colours for terminals that show them, and for nobody else."""

from __future__ import annotations

import os
from typing import TextIO

from runner.result import Outcome

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_OUTCOMES = {
    Outcome.PASSED: "green",
    Outcome.XFAILED: "green",
    Outcome.SKIPPED: "cyan",
    Outcome.FLAKY: "yellow",
    Outcome.XPASSED: "red",
    Outcome.FAILED: "red",
    Outcome.BLOCKED: "magenta",
    Outcome.ERROR: "magenta",
    Outcome.CANCELLED: "yellow",
}


def wanted(stream: TextIO) -> bool:
    """Tell whether a stream shows colours: a terminal, unless NO_COLOR, CI or TERM=dumb say otherwise."""
    environment = os.environ
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb" or in_ci():
        return False
    return stream.isatty()


def in_ci() -> bool:
    """Tell whether nobody watches."""
    return os.environ.get("CI", "") not in {"", "0", "false"}


class Paint:
    """Colours text, or leaves it as it is.

    >>> Paint(on=False)("red", "no")
    'no'
    """

    def __init__(self, *, on: bool) -> None:
        """Paint when `on`."""
        self.on = on
        """Whether it does."""

    def __call__(self, colour: str, text: str) -> str:
        """Return the text in a colour."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.on and text else text

    def outcome(self, outcome: Outcome, text: str = "") -> str:
        """Return an outcome's word (or another text) in its colour."""
        return self(_OUTCOMES[outcome], text or outcome.word)
