"""Calls into the kernel that may never end, made so that nobody waits for them longer than he wants to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from runner.api import Context, Duration, LabError

_LAST_MOMENT = 2.0
"""Seconds that a call gets to end after the step was cancelled; an agent that ends gives 2.5."""

_Answer = TypeVar("_Answer")


class Stalled(LabError):
    """A call has not ended in time, and cannot be ended."""


class Patient:
    """Makes calls one after the other on a thread of its own; close it in the end."""

    def __init__(self, context: Context) -> None:
        """Have nothing to do; cancels of the step are heard."""
        self._context = context
        self._calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self._stuck: _Call[Any] | None = None
        threading.Thread(target=self._serve, name="medium", daemon=True).start()

    @property
    def stuck(self) -> bool:
        """Whether a call that was given up has still not ended."""
        return self._stuck is not None and not self._stuck.ended.is_set()

    def ask(self, call: Callable[[], _Answer], limit: Duration, doing: str, option: str) -> _Answer:
        """Return what a call returns, or raise what it raises.

        Raise Stalled when it takes longer than `limit`, which is named by `option`, and whatever
        ended the step when it was cancelled.
        """
        return self.work(lambda _alive: call(), limit, doing, option)

    def work(
        self, call: Callable[[Callable[[str], None]], _Answer], limit: Duration, doing: str, option: str
    ) -> _Answer:
        """Do what `ask` does with a call that may take its time, as long as it shows that it is alive.

        It does so by calling what it is given, with what it does next; `limit` begins anew then.
        """
        asked: _Call[_Answer] = _Call(call, doing)
        self._calls.put(asked)
        if not asked.wait(limit, self._context):
            doing = asked.doing
            self._stuck = asked
            self._context.check_cancelled()
            raise Stalled(
                f"{doing} has not come to an end within {limit}",
                evidence={"limit": float(limit), "limit_origin": option},
                hint=f"try another card, reader or cable; a slow one gets more time by {option!r}",
            )
        return asked.result()

    def later(self, call: Callable[[], object]) -> None:
        """Make a call when those before it have ended, if they ever do; nobody waits for it."""
        self._calls.put(_Call(lambda _alive: call(), ""))

    def close(self) -> None:
        """Let the thread end, as soon as it can."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call.make()


class _Call(Generic[_Answer]):
    """A call on its way."""

    def __init__(self, function: Callable[[Callable[[str], None]], _Answer], doing: str) -> None:
        self.doing = doing
        self._function = function
        self._alive = 0
        self._woken = threading.Event()
        self.ended = threading.Event()
        self._error: BaseException | None = None
        self._answers: list[_Answer] = []

    def make(self) -> None:
        try:
            self._answers.append(self._function(self._sign))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error
        self.ended.set()
        self._woken.set()

    def wait(self, limit: float, context: Context) -> bool:
        """Wait for its end; tell whether it has come. After a cancel it gets a last moment."""
        leave = context.on_cancel(self._woken.set)
        try:
            seen = -1
            while seen != self._alive:
                seen = self._alive
                if self._woken.wait(limit):
                    break
        finally:
            leave()
        return self.ended.wait(_LAST_MOMENT if context.cancelled else 0)

    def _sign(self, doing: str) -> None:
        self.doing = doing
        self._alive += 1

    def result(self) -> _Answer:
        if self._error is not None:
            raise self._error
        return self._answers[0]
