"""Serial ports whose other end echoes: in memory, a terminal, TCP, and RFC 2217."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import threading
import tty
from collections.abc import Callable
from contextlib import ExitStack

import serial
import serial.rfc2217

from runner.modules.console.serial import Serial


def loop(_stack: ExitStack) -> Serial:
    return Serial(port="loop://")


def terminal(stack: ExitStack) -> Serial:
    """A pty whose other end echoes."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    stack.callback(os.close, ours)

    def echo() -> None:
        with contextlib.suppress(OSError):  # nobody has the other end any more
            while True:
                os.write(ours, os.read(ours, 65536))

    _serving(stack, echo)
    stack.callback(os.close, theirs)
    return Serial(port=os.ttyname(theirs))


def tcp(stack: ExitStack) -> Serial:
    """A TCP server that echoes."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def echo() -> None:
        with contextlib.suppress(OSError):  # it was hung up, or nobody has come
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

    _serving(stack, echo)
    stack.callback(listener.shutdown, socket.SHUT_RDWR)
    return Serial(port=f"socket://127.0.0.1:{listener.getsockname()[1]}")


def rfc2217(stack: ExitStack) -> Serial:
    """An RFC 2217 server in front of a port that echoes."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    echoing = stack.enter_context(serial.serial_for_url("loop://", timeout=0.02))

    def serve() -> None:
        with contextlib.suppress(OSError):  # it was hung up, or nobody has come
            connection, _ = listener.accept()
            with connection:
                _serve_rfc2217(connection, echoing)

    _serving(stack, serve)
    stack.callback(listener.shutdown, socket.SHUT_RDWR)
    return Serial(port=f"rfc2217://127.0.0.1:{listener.getsockname()[1]}")


def _serving(stack: ExitStack, work: Callable[[], None]) -> None:
    """Do it in a thread, whose end is waited for."""
    server = threading.Thread(target=work, daemon=True)
    server.start()
    stack.callback(server.join, 60)


def _serve_rfc2217(connection: socket.socket, port: serial.Serial) -> None:
    class Writer:
        def write(self, data: bytes) -> None:
            connection.sendall(data)

    manager = serial.rfc2217.PortManager(port, Writer())
    connection.settimeout(0.02)
    while True:
        try:
            received = connection.recv(1024)
            if not received:
                return
            port.write(b"".join(manager.filter(received)))
        except TimeoutError:
            pass
        if data := port.read(4096):
            connection.sendall(b"".join(manager.escape(data)))
