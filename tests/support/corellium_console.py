"""The consoles of the emulated Corellium: WebSockets whose URL works once, and shells on ptys behind them."""

from __future__ import annotations

import contextlib
import http
import os
import pty
import select
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

_RC = "PS1='$ '; unset HISTFILE"
_GETTY = f"""
printf 'booted\\r\\n'
while :; do
  printf '\\r\\nboard login: '; read -r user
  printf 'Password: '; stty -echo; read -r password; stty echo; printf '\\r\\n'
  [ "$user:$password" = root:hunter22 ] && exec bash --noprofile --rcfile <(echo "{_RC}") -i
  printf 'Login incorrect\\r\\n'
done
"""
_SHELL = f"""printf 'booted\\r\\n'; exec bash --noprofile --rcfile <(echo "{_RC}") -i"""


class Shell:
    """A shell on a pty; what it says waits in the pty until somebody connects."""

    def __init__(self, *, login: bool) -> None:
        self.descriptor, theirs = pty.openpty()
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "bash", "-c", _GETTY if login else _SHELL],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "vt100", "HISTFILE": "/dev/null"},
        )
        os.close(theirs)
        self.woken, self._wake = os.pipe()
        self.ended = False

    def end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._process.kill()
        self._process.wait()
        os.write(self._wake, b"x")


class ConsoleServer:
    """A WebSocket server; `refuses` turns everybody away, `hang_up` ends every connection."""

    def __init__(self) -> None:
        self.refuses = False
        self.connected: list[dict[str, str]] = []
        """The headers of each request that was let in."""
        self.url = ""
        self._offered: dict[str, Shell] = {}
        self._open: list[ServerConnection] = []

    def offer(self, shell: Shell) -> str:
        token = f"once-{uuid.uuid4().hex}"
        self._offered[token] = shell
        return f"{self.url}/console?token={token}"

    def hang_up(self) -> None:
        for each in list(self._open):
            with contextlib.suppress(OSError):  # it has ended by itself
                each.socket.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        with serve(self._talk, "127.0.0.1", 0, process_request=self._judge, close_timeout=1) as server:
            self.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield
            finally:
                self.hang_up()
                server.shutdown()
                thread.join(30)

    def _judge(self, connection: ServerConnection, request: Any) -> Any:
        if self.refuses or self._token(request.path) not in self._offered:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "no console for you\n")
        self.connected.append(dict(request.headers.raw_items()))
        return None

    def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        shell = self._offered.pop(self._token(connection.request.path))
        self._open.append(connection)
        left = threading.Event()
        typing = threading.Thread(target=_type, args=(connection, shell, left), daemon=True)
        typing.start()
        try:
            _say(connection, shell, left)
        finally:
            self._open.remove(connection)
            connection.close()
            typing.join(30)

    @staticmethod
    def _token(path: str) -> str:
        return parse_qs(urlsplit(path).query).get("token", [""])[0]


def _say(connection: ServerConnection, shell: Shell, left: threading.Event) -> None:
    """Send what the shell says until it has ended or nobody listens any more."""
    while not left.is_set():
        ready, _, _ = select.select([shell.descriptor, shell.woken], [], [], 0.05)
        if shell.woken in ready:
            return
        try:
            if ready:
                connection.send(os.read(shell.descriptor, 4096))
        except (OSError, ConnectionClosed):
            return


def _type(connection: ServerConnection, shell: Shell, left: threading.Event) -> None:
    with contextlib.suppress(OSError, ConnectionClosed):
        for message in connection:
            os.write(shell.descriptor, message if isinstance(message, bytes) else message.encode())
    left.set()
