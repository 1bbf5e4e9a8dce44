"""SSH by paramiko: sockets of our own, host keys checked, one machine after the other to the last."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import paramiko

from runner.agent.calls import Heard, Said
from runner.api.verdicts import LabError, Unreachable
from runner.connect.ended import Ended, how_it_ended
from runner.connect.host_keys import check_host_key, preferred_kinds
from runner.connect.login import log_in
from runner.connect.route import Hop

_FAST = "aes128-gcm@openssh.com"
"""The cipher that doubles paramiko's throughput."""
_ENDS_WITHIN = 9.5
"""Seconds that the agent gets to close its devices; it promises a little less."""
_LIMIT = "ConnectTimeout in ~/.ssh/config"
_LAST_LINES = 20
_READ = 64 * 1024


class Connection:
    """SSH connections, each through the one before; `close` ends them, the last first."""

    def __init__(self, transport: paramiko.Transport, closing: contextlib.ExitStack) -> None:
        """Keep the last transport, and how all are closed."""
        self.transport = transport
        self._closing = closing

    def close(self) -> None:
        """End every connection."""
        self._closing.close()


def connect(hops: Sequence[Hop]) -> Connection:
    """Connect and log in to each hop by way of those before; raise LabError for the one that failed."""
    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # or its threads print tracebacks
    with contextlib.ExitStack() as opened:
        transport: paramiko.Transport | None = None
        for hop in hops:
            transport = _open(hop, transport, opened)
        if transport is None:
            raise LabError("no way to nowhere: a route has at least one hop")
        return Connection(transport, opened.pop_all())


def _open(hop: Hop, through: paramiko.Transport | None, opened: contextlib.ExitStack) -> paramiko.Transport:
    port = _proxied(hop, opened) if hop.proxy_command and through is None else _reached(hop, through)
    transport = paramiko.Transport(port)
    opened.callback(transport.close)
    options = transport.get_security_options()
    if _FAST in options.ciphers:
        options.ciphers = (_FAST, *(each for each in options.ciphers if each != _FAST))
    options.key_types = preferred_kinds(hop, options.key_types)
    try:
        transport.start_client(timeout=hop.within)
        key = transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(
            f"{hop}: whoever listens there does not talk SSH with us: {error or type(error).__name__}",
            hint=f"is {hop.port} the port of its SSH server? It had {hop.within:g}s: {_LIMIT}",
        ) from error
    check_host_key(hop, key.get_name(), key.asbytes())
    log_in(transport, hop)
    return transport


def _reached(hop: Hop, through: paramiko.Transport | None) -> socket.socket | paramiko.Channel:
    if through is not None:
        return _tunnel(hop, through)
    try:
        port = socket.create_connection((hop.address, hop.port), hop.within)
    except socket.gaierror as error:
        raise Unreachable(
            f"{hop}: the name {hop.address!r} has no address: {error.strerror}",
            hint="is it spelt right? 'address' of the host, or HostName in ~/.ssh/config, says where it is",
        ) from error
    except ConnectionRefusedError as error:
        raise Unreachable(
            f"{hop}: connection refused", hint=f"does an SSH server run there, and is {hop.port} its port?"
        ) from error
    except TimeoutError as error:
        raise Unreachable(
            f"{hop}: no answer within {hop.within:g}s",
            hint=f"is it switched on, and is there a way to it ('jump')? The limit is {_LIMIT}",
        ) from error
    except OSError as error:
        raise Unreachable(
            f"{hop}: {error.strerror or error}", hint="is there a way to it ('jump')?"
        ) from error
    port.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Prompt(fileno=port.detach())


class _Prompt(socket.socket):
    """A TCP socket that acknowledges at once.

    An SSH server sends the answer to `exec` behind another small packet, and Nagle's algorithm
    (RFC 1122, 4.2.3.4) makes it wait there until that one is acknowledged: 40 ms later, otherwise.
    """

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read what has come, and have it acknowledged."""
        data = super().recv(size, flags)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # the kernel forgets it (tcp(7))
        return data


def _tunnel(hop: Hop, through: paramiko.Transport) -> paramiko.Channel:
    try:
        return through.open_channel(
            "direct-tcpip", (hop.address, hop.port), ("127.0.0.1", 0), timeout=hop.within
        )
    except paramiko.ChannelException as error:
        raise Unreachable(
            f"{hop}: the host before it on the way cannot reach it: {error.text}",
            hint="see 'jump' of the host, ProxyJump in ~/.ssh/config, AllowTcpForwarding in sshd_config",
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(
            f"{hop}: no answer by way of the host before it within {hop.within:g}s: {error}",
            hint=f"the limit is {_LIMIT}",
        ) from error


def _proxied(hop: Hop, opened: contextlib.ExitStack) -> socket.socket:
    """Start the ProxyCommand and return our end of what it carries."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            ("/bin/sh", "-c", f"exec {hop.proxy_command}"),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            start_new_session=True,
        )
    opened.callback(process.wait)
    opened.callback(process.terminate)
    return ours


class Remote:
    """A command on a host, as a pipe; `release` ends the connection, too."""

    def __init__(
        self, connection: Connection, command: str, heard: Callable[[Heard], None], *, name: str
    ) -> None:
        """Start it; `heard` gets what it prints to stderr. Raises LabError when the host refuses."""
        self._connection = connection
        self._name = name
        self._heard = heard
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._line = b""
        self._listening = threading.Lock()
        try:
            self._channel = connection.transport.open_session(timeout=_ENDS_WITHIN)
            self._channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            connection.close()
            raise LabError(
                f"{name} runs no command for us: {error or type(error).__name__}",
                hint="may this user run commands there? See MaxSessions and ForceCommand in its sshd_config",
            ) from error
        self._poll = select.poll()
        self._poll.register(self._channel.fileno(), select.POLLIN)

    def read(self, size: int, timeout: float) -> bytes | None:
        """Return what has come, ``b""`` at the end, None when the time is over."""
        until = time.monotonic() + timeout
        while True:
            self._listen()
            if self._channel.recv_ready() or self._channel.eof_received or self._channel.closed:
                return self._channel.recv(size)
            if not self._poll.poll(max(0.0, until - time.monotonic()) * 1000):
                return None

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self._channel.sendall(data)

    def end(self) -> Ended:
        """End its input, wait for its end, and say how it was."""
        with contextlib.suppress(OSError, EOFError):  # the connection may be gone
            self._channel.shutdown_write()
        self._channel.status_event.wait(_ENDS_WITHIN)
        self._listen()
        said = "\n".join(self._lines)
        if self._channel.exit_status >= 0:
            status = self._channel.exit_status
            return Ended(status=status, how=how_it_ended(status), said=said)
        how = (
            "it did not end"
            if self._connection.transport.is_active()
            else f"the connection to {self._name} was lost"
        )
        return Ended(status=None, how=how, said=said)

    def release(self) -> None:
        """Close the channel and the connection."""
        self._channel.close()
        self._connection.close()

    def _listen(self) -> None:
        with self._listening:
            while self._channel.recv_stderr_ready():  # or it would wait for more, behind somebody else
                *lines, self._line = (self._line + self._channel.recv_stderr(_READ)).split(b"\n")
                for line in lines:
                    text = line.decode("utf-8", "backslashreplace")
                    self._lines.append(text)
                    self._heard(Said(text=text))
