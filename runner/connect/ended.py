"""How a program that we talked to ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass

_KILLED = 128
"""The agent's warden, as shells do, adds this to the number of the signal that killed the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended. `status` is None when that is not known; `how` says what is."""

    status: int | None
    how: str
    said: str = ""
    """The last lines that it printed to stderr."""

    def __str__(self) -> str:
        r"""Say how it was and, on further lines, what it last printed.

        >>> str(Ended(status=1, how="exit status 1", said="no memory"))
        'exit status 1\nno memory'
        """
        return f"{self.how}\n{self.said}" if self.said else self.how


def how_it_ended(status: int) -> str:
    """Say what an exit status means.

    >>> how_it_ended(3), how_it_ended(137)
    ('exit status 3', 'killed by SIGKILL')
    """
    if status <= _KILLED:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(status - _KILLED).name}"
    except ValueError:
        return f"exit status {status}"
