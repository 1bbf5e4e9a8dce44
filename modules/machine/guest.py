"""A running QEMU: its process, its monitor, and its serial line."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from runner.api import LabError, Picture, Unreachable, Unsupported
from runner.api.process import end, popen
from runner.modules.machine.qmp import Monitor

_DYING = 5.0
"""Seconds at most between the end of its connection and that of the process."""

CommandLine = Callable[[int, int, Path], Sequence[str]]
"""Makes the arguments from the descriptors of the monitor's and the serial line's sockets, and a folder."""


class Guest:
    """One life of a machine, from its start to its end; made by `start_guest`."""

    def __init__(self, command_line: CommandLine) -> None:
        """Start QEMU; raise Unreachable when it is not there."""
        self._folder = tempfile.TemporaryDirectory(prefix="runner-qemu-")
        self._errors = Path(self._folder.name, "stderr")
        self._last_words = ""
        self.stopping = False
        """True once it is ended on purpose."""
        self.ended = threading.Event()
        self._started = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: Unreachable | None = None
        self._keeper = threading.Thread(
            target=self._keep, args=(command_line,), name="keep QEMU", daemon=True
        )
        self._keeper.start()
        self._started.wait()
        if self._failure is not None:
            self._folder.cleanup()
            raise self._failure

    def begin(self, timeout: float) -> None:
        """Wait for the monitor, up to `timeout` seconds; raise LabError when it has died."""
        try:
            self._monitor.greet(timeout)
        except Unreachable as error:
            died = self.ended.wait(_DYING if "gone" in error.message else 0)
            self.stop(timeout=1.0)
            what = "does not start" if died else "does not answer on its monitor"
            raise LabError(
                f"QEMU {what}: {self.said or error.message}",
                evidence={"stderr": self.said, "status": self.status},
            ) from error

    def go(self, timeout: float) -> None:
        """Let the processor run."""
        self.execute("cont", {}, timeout)

    def execute(self, command: str, arguments: dict[str, object], timeout: float) -> object:
        """Run a command of the monitor."""
        return self._monitor.execute(command, arguments, timeout)

    def screendump(self, timeout: float) -> Picture:
        """Have QEMU write its screen into a file (PPM, which all of its versions can), and read that."""
        path = Path(self._folder.name, "screen.ppm")
        try:
            self.execute("screendump", {"filename": str(path)}, timeout)
            return Picture.from_ppm(path.read_bytes())
        except LabError as error:
            if "no console" not in error.message.lower():
                raise
            raise Unsupported(
                "this machine has no screen", hint="give the device the option screen"
            ) from error
        except (OSError, ValueError) as error:
            raise LabError(f"QEMU's picture of the screen cannot be read: {error}") from error

    def connect_serial(self) -> socket.socket:
        """Connect to the serial line; QEMU serves one connection at a time."""
        return self._connected("serial")

    def stop(self, timeout: float) -> None:
        """End it: by its monitor, and by signals when that takes more than `timeout` seconds."""
        self.stopping = True
        assert self._process is not None  # noqa: S101 - started in __init__
        if not self.ended.is_set():
            try:
                self._monitor.execute("quit", {}, timeout)
            except LabError:
                end(self._process, grace=timeout)
        if not self.ended.wait(timeout):
            end(self._process, grace=timeout)
        self._keeper.join()
        self._monitor.close()
        self._last_words = self.said
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """Its folder on the host, which is gone when it has ended."""
        return Path(self._folder.name)

    @property
    def pid(self) -> int:
        """QEMU's process."""
        assert self._process is not None  # noqa: S101 - started in __init__
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def said(self) -> str:
        """What it wrote to its standard output and error."""
        if not self._errors.exists():
            return self._last_words
        return self._errors.read_text(encoding="utf-8", errors="replace").strip()

    def _keep(self, command_line: CommandLine) -> None:
        """Start the process and see it end."""
        try:
            with (
                self._listening("monitor") as monitor,
                self._listening("serial") as serial,
                ExitStack() as stack,
            ):
                # While we hold the listener, too: QEMU may be gone before we look, and its words count.
                self._monitor = Monitor(self._connected("monitor"))
                stack.callback(self._monitor.close)
                self._process = self._launched(command_line, monitor.fileno(), serial.fileno())
                stack.pop_all()
        except Unreachable as error:
            self._failure = error
            return
        except OSError as error:
            self._failure = Unreachable(f"cannot prepare what QEMU needs: {error}")
            return
        finally:
            self._started.set()
        self._process.wait()
        self.ended.set()

    def _launched(self, command_line: CommandLine, monitor: int, serial: int) -> subprocess.Popen[bytes]:
        with self._errors.open("wb") as errors:
            return popen(
                command_line(monitor, serial, self.folder),
                stdout=errors,
                stderr=errors,
                pass_fds=(monitor, serial),
            )

    def _listening(self, name: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(Path(self._folder.name, name)))
        listener.listen(1)
        return listener

    def _connected(self, name: str) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(Path(self._folder.name, name)))
        except OSError as error:
            connection.close()
            raise Unreachable(f"QEMU's {name} is gone: {error.strerror}") from error
        return connection
