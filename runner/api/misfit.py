"""What an author of a recipe or an inventory can be told before the run."""

from __future__ import annotations

from typing import NamedTuple


class Misfit(NamedTuple):
    """An argument that does not fit the others, or what it names.

    `argument`: its name, with the place inside of it after dots (``frames.2.data``, from 0).
    """

    argument: str
    message: str
    hint: str = ""
