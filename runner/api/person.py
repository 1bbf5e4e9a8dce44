"""The person at the terminal of the controller, as a driver sees them."""

from __future__ import annotations

import abc

from runner.api.values import Duration


class Person(abc.ABC):
    """Somebody who can be asked to do something that no wire reaches."""

    @abc.abstractmethod
    def confirms(self, request: str, within: Duration) -> bool:
        """Ask for something to be done, and tell whether the person says that it is.

        Raise Unreachable when nobody is there, or nobody answers `within` this time.
        """

    @abc.abstractmethod
    def withdraw(self) -> None:
        """Take back what has been asked: it ends as if nobody were there."""
