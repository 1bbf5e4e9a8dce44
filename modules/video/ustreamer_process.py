"""A running ustreamer: its process and its socket."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from runner.api import LabError
from runner.api.process import end, popen
from runner.api.program import how, tail

_LOOKS_EVERY = 0.02
_LAST_WORDS = 8 * 1024


class UstreamerProcess:
    """One life of ustreamer, from its making to its `close`."""

    def __init__(self, executable: str, options: Sequence[str], limit: float) -> None:
        """Start it and wait until it answers; raise LabError with its words when it does not."""
        self._folder = tempfile.TemporaryDirectory(prefix="runner-ustreamer-")
        self.socket = str(Path(self._folder.name, "socket"))
        self._said = Path(self._folder.name, "said")
        self.arguments = [executable, *options, "--unix", self.socket]
        try:
            with self._said.open("wb") as said:
                self._process = popen(self.arguments, stdout=said, stderr=said)
        except LabError as error:
            self._folder.cleanup()
            raise type(error)(error.message, hint="apt install ustreamer on the bench's host") from error
        try:
            self._wait(limit)
        except LabError:
            self.close()
            raise

    def check(self) -> None:
        """Raise LabError when it has ended."""
        status = self._process.poll()
        if status is not None:
            raise LabError(
                f"ustreamer has ended by itself ({how(status)}): {self._last_words()}",
                evidence={"status": status, "stderr": tail(self._words()), "arguments": self.arguments},
            )

    def close(self) -> None:
        """End it."""
        end(self._process)
        self._folder.cleanup()

    def _wait(self, limit: float) -> None:
        until = time.monotonic() + limit
        while not self._answers():
            self.check()
            if time.monotonic() > until:
                raise LabError(
                    f"ustreamer does not listen within {limit:g}s: {self._last_words()}",
                    evidence={"stderr": tail(self._words()), "limit": limit},
                    hint="a slow host gets more time by the device's option 'limit'",
                )
            time.sleep(_LOOKS_EVERY)  # a socket appears without telling anybody

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as tried:
            try:
                tried.connect(self.socket)
            except OSError:
                return False
        return True

    def _words(self) -> str:
        with self._said.open("rb") as said:
            said.seek(max(0, said.seek(0, 2) - _LAST_WORDS))
            return said.read().decode("utf-8", "replace")

    def _last_words(self) -> str:
        """Return its errors, or its last line."""
        lines = [line.strip() for line in self._words().splitlines() if line.strip()]
        errors = [line.rpartition("] -- ")[2] for line in lines if " ERROR " in line]
        return "; ".join(errors[-3:]) or (lines[-1] if lines else "it said nothing")
