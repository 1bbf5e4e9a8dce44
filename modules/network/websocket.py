"""A WebSocket server that the bench's host reaches (RFC 6455), through the library websockets."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from runner.api import Driver, Duration, LabError, Link, Network, NetworkAddress, Secret, Unreachable, arg

_LARGEST = 16 * 2**20


class Websocket(Driver, Network):
    """A WebSocket server that the bench's host reaches. What is sent at once is one message.

    What comes is kept as one stream of bytes; texts are read as UTF-8.

    Example::

        devices:
          events: {driver: websocket, url: "wss://board.lab/events", bearer: !secret {env: TOKEN}}
    """

    url: str = arg(primary=True, help="its address: ws://… or wss://…")
    text: bool = arg(default=False, help="send texts; without it binary messages are sent")
    headers: dict[str, str] = arg(default={}, help="headers of the request that opens it")
    bearer: Secret | None = arg(default=None, help="a token for the header Authorization")
    ca_file: str = arg(default="", help="the certificates that are trusted; empty: those of the host")
    limit: Duration = arg(default=Duration("10s"), help="how long connecting may take")

    def close(self) -> None:
        """End the connection of `net_send`."""
        if self.conversation:
            self.conversation.close()

    def address(self) -> NetworkAddress:
        """Return the URL."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        return NetworkAddress(url=self.url, host=parts.hostname or "", port=port, path=parts.path)

    def connect(self, timeout: float) -> Link:
        """Connect and ask for the WebSocket."""
        from websockets.sync.client import connect

        token = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        limit = min(timeout, self.limit)
        with ExitStack() as stack:
            with _translated(self.url, limit):
                made = stack.enter_context(
                    connect(
                        self.url,
                        ssl=self._trusted() if self.url.startswith("wss:") else None,
                        additional_headers={**self.headers, **token},
                        open_timeout=limit,
                        max_size=_LARGEST,
                    )
                )
            return _Messages(made, stack.pop_all(), self.url, text=self.text)

    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file or None)


class _Messages:
    def __init__(self, connection: Any, opened: ExitStack, url: str, *, text: bool) -> None:
        self._connection = connection
        self._opened = opened
        self._url = url
        self._text = text

    def read(self, timeout: float) -> bytes | None:
        from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

        try:
            message = self._connection.recv(timeout)
        except TimeoutError:
            return b""
        except ConnectionClosedOK:
            return None
        except ConnectionClosedError as error:
            raise LabError(f"{self._url}: the connection was lost: {error}") from error
        return message.encode() if isinstance(message, str) else bytes(message)

    def write(self, data: bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(data.decode() if self._text else data)
        except UnicodeDecodeError as error:
            raise LabError(f"{self._url}: {data!r} is no text, and 'text' is set") from error
        except ConnectionClosed as error:
            raise LabError(f"{self._url}: nothing could be sent: {error}") from error

    def hang_up(self) -> None:
        self._connection.close()

    def close(self) -> None:
        self._opened.close()


@contextmanager
def _translated(url: str, limit: float) -> Iterator[None]:
    from websockets.exceptions import InvalidHandshake, InvalidURI

    try:
        yield
    except TimeoutError as error:
        raise Unreachable(f"{url}: no answer within {limit:g}s", hint="see the option 'limit'") from error
    except (OSError, InvalidHandshake, InvalidURI) as error:
        raise Unreachable(f"{url}: {error}") from error
