"""A debug probe at a processor: what drivers of probes offer, and modules ask for."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from runner.api.interfaces import Interface
from runner.api.values import Duration

if TYPE_CHECKING:
    from runner.api.context import Context

Width = Literal[8, 16, 32, 64]
"""Bits of a word."""
ImageFormat = Literal["auto", "elf", "hex", "bin", "uf2"]


class DebugProbe(Interface):
    """A debug probe. Every method raises LabError with the probe's words when it fails, or takes too long."""

    @abc.abstractmethod
    def info(self, context: Context, timeout: Duration) -> str:
        """Say what is found at the probe."""

    @abc.abstractmethod
    def reset(self, context: Context, timeout: Duration) -> str:
        """Reset the processor and let it run; return what the probe said."""

    @abc.abstractmethod
    def erase(self, context: Context, timeout: Duration) -> str:
        """Erase all of the flash; return what the probe said."""

    @abc.abstractmethod
    def download(
        self,
        image: str,
        context: Context,
        timeout: Duration,
        *,
        image_format: ImageFormat,
        base_address: int | None,
        chip_erase: bool,
        verify: bool,
    ) -> str:
        """Write an image to the flash; return what the probe said."""

    @abc.abstractmethod
    def read(
        self, width: Width, address: int, count: int, context: Context, timeout: Duration
    ) -> tuple[int, ...]:
        """Read words from the memory."""

    @abc.abstractmethod
    def write(
        self, width: Width, address: int, words: Sequence[int], context: Context, timeout: Duration
    ) -> None:
        """Write words to the memory."""
