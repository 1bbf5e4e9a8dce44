"""An event loop in a thread of its own, for the library that wants one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")


class LoopThread:
    """Runs coroutines for callers that wait for them."""

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, make: Callable[[], Coroutine[Any, Any, _Answer]], timeout: float) -> _Answer:
        """Run a coroutine and return its result; raise TimeoutError when it takes longer than `timeout` s."""
        waiting = asyncio.run_coroutine_threadsafe(asyncio.wait_for(make(), timeout), self._loop)
        try:
            return waiting.result()
        except (
            asyncio.TimeoutError,
            concurrent.futures.TimeoutError,
        ) as error:  # of their own on Python 3.10
            raise TimeoutError from error

    def close(self) -> None:
        """Cancel what runs, end the thread and close the loop."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
