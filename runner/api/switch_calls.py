"""The thread that talks to one switch, so that a switch that never answers holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from runner.api.context import Context

_Answer = TypeVar("_Answer")


class NoAnswer(Exception):
    """A call did not end in time."""


class _Call:
    """A call on its way."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._woken = threading.Event()
        self.ended = threading.Event()
        self._error: BaseException | None = None
        self._answer: Any = None

    def make(self) -> None:
        try:
            self._answer = self._function()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error
        self.ended.set()
        self._woken.set()

    def wait(self, limit: float, context: Context) -> None:
        """Wait for its end, a cancel of the step, or the limit."""
        leave = context.on_cancel(self._woken.set)
        try:
            self._woken.wait(limit)
        finally:
            leave()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._answer


class SwitchCalls:
    """Makes the calls to one switch, one after the other.

    Its thread stays until the process ends: a program that a driver starts may be tied to the
    thread that started it (prctl(2), PR_SET_PDEATHSIG).
    """

    def __init__(self) -> None:
        """Begin with nothing to say."""
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._given_up: _Call | None = None
        threading.Thread(target=self._serve, name="power switch", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether a call that was given up has still not ended."""
        return self._given_up is not None and not self._given_up.ended.is_set()

    def ask(self, function: Callable[[], _Answer], limit: float, context: Context) -> _Answer:
        """Return what the function returns; raise what it raises, or NoAnswer when that takes too long.

        A cancelled step does not wait any longer, either.
        """
        call = _Call(function)
        self._calls.put(call)
        call.wait(limit, context)
        if not call.ended.is_set():
            self._given_up = call
            raise NoAnswer
        answer: _Answer = call.result()
        return answer

    def settle(self, seconds: float) -> None:
        """Give the call that was given up so long to end after all."""
        if self._given_up is not None:
            self._given_up.ended.wait(seconds)

    def _serve(self) -> None:
        while True:
            self._calls.get().make()
