"""An interface of python-can that can listen only and forget what waits, as those of adapters can."""

from __future__ import annotations

from typing import Any

import can
from can.interfaces.virtual import VirtualBus


class SilentBus(VirtualBus):
    """A virtual bus whose state can be set, and whose transmit queue is kept until it is told."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._now = can.BusState.ACTIVE
        self.waiting: list[can.Message] = []
        self.full = False

    @property
    def state(self) -> can.BusState:
        return self._now

    @state.setter
    def state(self, state: can.BusState) -> None:
        self._now = state

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        del timeout
        if self.full:
            raise can.CanOperationError("Failed to transmit: No buffer space available", 105)
        self.waiting.append(msg)

    def flush_tx_buffer(self) -> None:
        self.waiting.clear()
