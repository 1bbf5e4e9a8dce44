"""Which part of a flash is under way, so that every error says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import Cancelled, Context, Verdict


class Phases:
    """Names what is done now; `last` is how far it came."""

    def __init__(self, context: Context) -> None:
        """Begin with nothing."""
        self._context = context
        self.last = ""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Do one part; a verdict raised in it gets the name in front, and in its evidence."""
        self.last = name
        self._context.log(f"phase: {name}")
        try:
            yield
        except Cancelled:
            raise
        except Verdict as error:
            raise type(error)(
                f"{name}: {error.message}",
                evidence={"phase": name, **error.evidence},
                hint=error.hint,
                result=error.result,
            ) from error
