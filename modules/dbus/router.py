"""One connection to a bus: answers to who asked, signals to who records.

jeepney has a router of its own, whose thread dies with a traceback when the bus ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from runner.api import LabError

_SIGNAL = 4
"""The type of a message that is a signal (D-Bus Specification, "Message Types")."""


class Router:
    """Reads from a connection of jeepney until it is closed, or ends."""

    def __init__(
        self, connection: Any, where: str, hear: Callable[[Any], None], ended: Callable[[str], None]
    ) -> None:
        """Begin to read. `hear` gets each signal, `ended` why nothing more comes."""
        self._connection = connection
        self._where = where
        self._hear = hear
        self._ended = ended
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._lost = ""
        self._thread = threading.Thread(target=self._read, name=where, daemon=True)
        self._thread.start()

    def ask(self, message: Any, timeout: float) -> Any:
        """Send a message and return the answer to it.

        Raise concurrent.futures.TimeoutError, or LabError when the connection is lost.
        """
        answer: Future[Any] = Future()
        serial = next(self._connection.outgoing_serial)
        with self._lock:
            if self._lost:
                raise LabError(f"{self._where}: {self._lost}")
            self._waiting[serial] = answer
        try:
            self._send(message, serial)
            return answer.result(timeout)
        finally:
            with self._lock:
                self._waiting.pop(serial, None)

    def close(self) -> None:
        """Stop reading, and close the connection."""
        self._connection.interrupt()
        self._thread.join()
        self._connection.close()

    def _send(self, message: Any, serial: int) -> None:
        try:
            self._connection.send(message, serial=serial)
        except OSError as error:
            raise LabError(f"{self._where}: the connection was lost: {error}") from error

    def _read(self) -> None:
        from jeepney.io.threading import ReceiveStopped

        why = "what reads from it has crashed"
        try:
            while True:
                self._take(self._connection.receive())
        except ReceiveStopped:
            why = "it was closed"
        except (OSError, EOFError) as error:
            why = f"the connection was lost: {error or type(error).__name__}"
        finally:
            self._end(why)

    def _take(self, message: Any) -> None:
        if message.header.message_type.value == _SIGNAL:
            self._hear(message)
            return
        fields = {field.name: value for field, value in message.header.fields.items()}
        with self._lock:
            waiting = self._waiting.pop(fields.get("reply_serial", 0), None)
        if waiting is not None:
            waiting.set_result(message)

    def _end(self, why: str) -> None:
        with self._lock:
            self._lost = why
            left, self._waiting = list(self._waiting.values()), {}
        for each in left:
            each.set_exception(LabError(f"{self._where}: {why}"))
        self._ended(why)
