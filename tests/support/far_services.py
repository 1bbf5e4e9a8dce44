"""What listens in a lab: started in a network of its own, only a host that is there can reach it.

A program of its own, too: it says as JSON where everything is, and ends with its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.message_bus import Lamp, message_bus


class Says(socketserver.BaseRequestHandler):
    """Greets, then says again what it hears."""

    def handle(self) -> None:
        self.request.sendall(b"READY 1.2\n")
        while data := self.request.recv(65536):
            self.request.sendall(data)


class SaysDatagrams(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, port = self.request
        port.sendto(data, self.client_address)


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True


class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def far_services(folder: Path, inside: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Start everything behind the command `inside`; give the options of a device for each kind."""
    command = ["setpriv", "--pdeathsig", "KILL", *inside, sys.executable, __file__, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate(timeout=60)


def _served(server: socketserver.BaseServer, stack: contextlib.ExitStack) -> Any:
    stack.enter_context(server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    stack.callback(server.shutdown)
    return server.server_address


def _websocket(stack: contextlib.ExitStack) -> int:
    from websockets.sync.server import serve

    def again(connection: Any) -> None:
        for message in connection:
            connection.send(message)

    server = stack.enter_context(serve(again, "127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port: int = server.socket.getsockname()[1]
    return port


def _main(folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        # An abstract socket belongs to the network that it was made in (network_namespaces(7)).
        bus = stack.enter_context(message_bus(folder, f"unix:abstract=runner-test-{os.getpid()}"))
        stack.callback(Lamp(bus).close)
        devices = {
            "bus": {"driver": "dbus", "bus": bus},
            "tcp": _port("tcp", _served(Tcp(("127.0.0.1", 0), Says), stack)[1]),
            "udp": _port("udp", _served(socketserver.UDPServer(("127.0.0.1", 0), SaysDatagrams), stack)[1]),
            "unix": {"driver": "unix", "path": _served(Unix(str(folder / "s"), Says), stack)},
            "websocket": {"driver": "websocket", "url": f"ws://127.0.0.1:{_websocket(stack)}/it"},
        }
        sys.stdout.write(json.dumps(devices) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _port(driver: str, port: int) -> dict[str, Any]:
    return {"driver": driver, "host": "127.0.0.1", "port": port}


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
