"""The console of a virtual device over a WebSocket (RFC 6455), which comes and goes with the device."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

from runner.api import LabError, Secret, Unreachable
from runner.console import ConsoleGone

_LARGEST = 16 * 2**20
_FAREWELL = 1.0
"""Seconds that the other end has to say that it closes, too."""
Dial = Callable[[], "Connection"]


class Connection:
    """An open WebSocket: what comes is one stream of bytes, what is sent at once is one message."""

    def __init__(self, url: Secret, limit: float, trust: ssl.SSLContext | None, name: str) -> None:
        """Connect; raise Unreachable when that fails. No message shows the URL, only its server.

        Nobody says who we are: whoever knows the URL has the console.
        """
        from websockets.exceptions import InvalidHandshake, InvalidURI
        from websockets.sync.client import connect

        parts = urlsplit(url)
        where = f"{name} at {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._opened = ExitStack()
        try:
            opening = connect(
                str(url),
                ssl=trust if parts.scheme == "wss" else None,
                open_timeout=limit,
                close_timeout=_FAREWELL,
                max_size=_LARGEST,
            )
            self._socket: Any = self._opened.enter_context(opening)
        except TimeoutError as error:
            raise Unreachable(
                f"{where}: no answer within {limit:g}s", hint="a slow one gets more time by 'limit'"
            ) from error
        except InvalidURI as error:
            raise LabError(f"{where}: the API has told a URL that is none of a WebSocket") from error
        except (OSError, InvalidHandshake) as error:
            raise Unreachable(f"{where}: {error}") from error
        self._where = where

    def read(self, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for a message; raise ConsoleGone when it has been closed."""
        from websockets.exceptions import ConnectionClosed

        try:
            message = self._socket.recv(timeout)
        except TimeoutError:
            return b""
        except ConnectionClosed as error:
            raise ConsoleGone(f"{self._where} was closed: {error}") from error
        return message.encode() if isinstance(message, str) else bytes(message)

    def write(self, data: bytes) -> None:
        """Send a message; raise ConsoleGone when it has been closed."""
        from websockets.exceptions import ConnectionClosed

        try:
            self._socket.send(data)
        except ConnectionClosed as error:
            raise ConsoleGone(f"{self._where} was closed: {error}") from error

    def close(self) -> None:
        """Close it and wake whoever reads."""
        self._opened.close()


class ConsolePort:
    """An open console: silent while the device is off, gone when it is lost while the device runs."""

    def __init__(self, dial: Dial, closed: Callable[[ConsolePort], None]) -> None:
        """Open it, with no device at its other end; `dial` connects to one that runs."""
        self._dial = dial
        self._closed = closed
        self._open = True
        self._ending = False
        self._connection: Connection | None = None
        self._changed = threading.Condition()
        self._dialling = threading.Lock()

    def attach(self) -> None:
        """Connect to the device, unless that is done, or its end is expected; raise what `dial` raises."""
        with self._dialling:
            if self._connection is not None or self._ending or not self._open:
                return
            made = self._dial()
            with self._changed:
                self._connection = made
                self._changed.notify_all()

    def try_attach(self) -> None:
        """Connect to a device that is on its way: it may have no console yet, and is asked again."""
        with suppress(LabError):
            self.attach()

    def expect_end(self, *, ending: bool) -> None:
        """Say whether the device is about to be switched off: then the connection's end is no fault."""
        self._ending = ending

    def detach(self) -> None:
        """Leave a device that is off."""
        self._let_go(self._connection)

    def read(self, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for bytes; none when the time is over.

        Raise ConsoleGone when the connection is lost, or the port is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._connection is not None or not self._open, timeout)
            connection = self._connection
        if not self._open:
            raise ConsoleGone("the port is closed")
        if connection is None:
            return b""
        try:
            return connection.read(timeout)
        except ConsoleGone:
            if self._open and (self._ending or self._connection is not connection):
                self._let_go(connection)
                return b""
            raise

    def write(self, data: bytes) -> None:
        """Send all of `data`; a device that is off does not hear it."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.write(data)
        except ConsoleGone:
            if not self._ending:
                raise

    def close(self) -> None:
        """Close it and wake whoever reads."""
        with self._changed:
            if not self._open:
                return
            self._open = False
            self._changed.notify_all()
        self._closed(self)
        self._let_go(self._connection)

    def _let_go(self, connection: Connection | None) -> None:
        with self._changed:
            if self._connection is connection:
                self._connection = None
        if connection is not None:
            connection.close()
