"""Where reports are printed: a stream that may have no reader any more, or no letters for our text."""

from __future__ import annotations

import io
import os
from typing import TextIO


class Output:
    """A stream that text goes to for as long as somebody reads it.

    When the reader is gone (``runner play … | head``) the run goes on: what was meant for
    him is in the files of the run.
    """

    def __init__(self, stream: TextIO) -> None:
        """Print to a stream; letters that its encoding lacks are spelt out."""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self._stream = stream
        self.encoding = getattr(stream, "encoding", "utf-8")

    def write(self, text: str) -> int:
        """Print text."""
        try:
            return self._stream.write(text)
        except OSError:
            self._give_up()
            return len(text)

    def say(self, text: str) -> None:
        """Print a line, so that it is seen now."""
        self.write(f"{text}\n")
        self.flush()

    def flush(self) -> None:
        """Let everything be seen that was printed."""
        try:
            self._stream.flush()
        except OSError:
            self._give_up()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the number of its file."""
        return self._stream.fileno()

    def _give_up(self) -> None:
        """Print into the void: what Python has buffered would fail again when the program ends."""
        void = os.open(os.devnull, os.O_WRONLY)
        os.dup2(void, self._stream.fileno())
        os.close(void)
