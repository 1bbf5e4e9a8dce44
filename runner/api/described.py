"""Described: an instrument that says what it is."""

from __future__ import annotations

import abc
from collections.abc import Mapping

from runner.api.interfaces import Interface


class Described(Interface):
    """An instrument that can be asked for its version, its serial number and the like."""

    @abc.abstractmethod
    def about(self) -> Mapping[str, str]:
        """Return what it says of itself, and where it is on its host."""
