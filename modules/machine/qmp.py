"""QMP, the monitor protocol of QEMU (QEMU documentation, "QEMU Machine Protocol Specification")."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from runner.api import LabError, Unreachable


class Monitor:
    """One connection; safe to use from many threads, one command at a time."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connected socket."""
        self._socket = connection
        self._received = bytearray()
        self._asked = 0
        self._one_at_a_time = threading.Lock()

    def greet(self, timeout: float) -> str:
        """Wait for the greeting, leave negotiation mode and return QEMU's version."""
        end = time.monotonic() + timeout
        greeting = self._message(end)
        self.execute("qmp_capabilities", {}, timeout)
        version = greeting.get("QMP", {}).get("version", {}).get("qemu", {})
        return ".".join(str(version.get(part, "?")) for part in ("major", "minor", "micro"))

    def execute(self, command: str, arguments: Mapping[str, object], timeout: float) -> object:
        """Run a command and return its answer.

        Raise LabError when QEMU refuses it, Unreachable when QEMU is gone or says nothing
        within `timeout` seconds.
        """
        with self._one_at_a_time:
            self._asked += 1
            request: dict[str, object] = {"execute": command, "id": self._asked}
            if arguments:
                request["arguments"] = dict(arguments)
            end = time.monotonic() + timeout
            try:
                self._socket.settimeout(timeout)
                self._socket.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise Unreachable(f"QEMU's monitor is gone: {error}") from error
            while True:
                message = self._message(end)
                if message.get("id") != self._asked:  # an event, or an answer that came too late
                    continue
                if "error" in message:
                    raise _refused(command, message["error"])
                return message["return"]

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _message(self, end: float) -> dict[str, Any]:
        """Return the next message; events are messages too."""
        while b"\n" not in self._received:
            try:
                self._socket.settimeout(max(0.001, end - time.monotonic()))
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise Unreachable(
                    "QEMU's monitor says nothing in time", hint="its limits are options of the device"
                ) from error
            except OSError as error:
                raise Unreachable(f"QEMU's monitor is gone: {error}") from error
            if not data:
                raise Unreachable("QEMU's monitor is gone: QEMU has closed it")
            self._received += data
        line, _, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        message: dict[str, Any] = json.loads(line)
        return message


def _refused(command: str, error: Mapping[str, object]) -> LabError:
    return LabError(
        f"QEMU refuses {command!r}: {error.get('desc')}",
        evidence={"command": command, "class": error.get("class"), "said": error.get("desc")},
    )
