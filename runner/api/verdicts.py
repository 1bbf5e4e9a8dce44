"""How a step can end other than well, and whose fault it is.

A module or driver raises one of these; anything else it raises is a crash of
its own and is reported with a traceback.

    Verdict
    ├── Failed          the board: what was expected did not happen
    │   └── TimedOut    … within the time it had
    ├── LabError        the bench: an instrument, a link, a disk
    │   ├── Unreachable … nothing answers there
    │   └── Unsupported … it answers, but cannot do that
    ├── RecipeFault     the recipe: a value that only data could show to be wrong
    ├── Skipped         not run, for a stated reason
    └── Cancelled       stopped from outside: a limit, Ctrl-C, a failing neighbour
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

ErrorClass = Literal[
    "unsupported", "bad_argument", "timeout", "unreachable", "device_error", "assertion", "internal"
]


class Verdict(Exception):
    """The end of a step that did not pass.

    `message` is one sentence: what, and where. `evidence` maps names to values
    that JSON can hold (expected, actual, tail, limit …). `hint` says what to do.
    `result` is what was found out all the same, for ``failed_when`` and ``register``.
    """

    kind: ClassVar[ErrorClass] = "internal"

    def __init__(
        self,
        message: str,
        *,
        evidence: Mapping[str, object] | None = None,
        hint: str = "",
        result: object = None,
    ) -> None:
        """Say what happened, with the evidence and what to do about it."""
        super().__init__(message)
        self.message = message
        self.evidence = dict(evidence or {})
        self.hint = hint
        self.result = result


class Failed(Verdict):
    """The board did not do what the recipe expects of it."""

    kind: ClassVar[ErrorClass] = "assertion"


class TimedOut(Failed):
    """The board did not do it in time."""

    kind: ClassVar[ErrorClass] = "timeout"


class LabError(Verdict):
    """The bench is at fault: an instrument, a link, a disk."""

    kind: ClassVar[ErrorClass] = "device_error"


class Unreachable(LabError):
    """An instrument or host does not answer."""

    kind: ClassVar[ErrorClass] = "unreachable"


class Unsupported(LabError):
    """This instrument cannot do what was asked of it."""

    kind: ClassVar[ErrorClass] = "unsupported"


class RecipeFault(Verdict):
    """A value of the recipe is wrong, and only data could show it."""

    kind: ClassVar[ErrorClass] = "bad_argument"


class Skipped(Verdict):
    """The rest of the case is not to be run; the message is the reason."""


class Cancelled(Verdict):
    """The step was stopped from outside; the message names the cause."""
