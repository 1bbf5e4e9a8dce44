"""A peer that is opened and closed as a driver is, for tests that open both in turn."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from runner.api import Driver

_Peer = TypeVar("_Peer")


class Peer(Driver, Generic[_Peer]):
    """Something that a test starts; `it` is what runs."""

    def __init__(self, starting: AbstractContextManager[_Peer]) -> None:
        self._starting = starting

    def open(self) -> None:
        self.it = self._starting.__enter__()

    def close(self) -> None:
        self._starting.__exit__(None, None, None)
