"""Listening for the frame of a command: begin, output, end, or the word that it was not run."""

from __future__ import annotations

from dataclasses import dataclass

from runner.console import frame
from runner.console.track import Track
from runner.console.transcript import Transcript


@dataclass(frozen=True)
class Answer:
    """What stood between the frames."""

    output: bytes
    status: int | None
    start: int
    """Raw offset of the output."""
    end: int
    """Raw offset of the frame behind it."""
    certain: int
    """Raw offset behind that frame."""
    kernel: tuple[bytes, ...] = ()
    dropped: int = 0


class Exchange:
    """Listens for a command's frame from a raw offset on.

    `begins`: the shell's function prints a frame before the output as well; it says when it
    `refused` what arrived, the shell when the function is `lost`. Otherwise the output
    begins at `begun`, behind the verified echo.
    A frame that looks like a kernel message is one all the same: then something puts time
    stamps before all lines of this console, and they are taken off.
    """

    def __init__(self, transcript: Transcript, nonce: str, start: int, *, begins: bool) -> None:
        """Listen from the raw offset `start` on."""
        self._transcript = transcript
        self._begins = begins
        self.start = start
        self._begin = frame.begin(nonce)
        self._key = frame.end(nonce)
        self._text_at = transcript.text.offset_of(start)
        self._kernel_at = transcript.kernel.offset_of(start)
        self.begun: int | None = None if begins else self._text_at
        self.answer: Answer | None = None
        self.refused = False
        self.lost = False

    @property
    def done(self) -> bool:
        """Whether it has ended, or was not run."""
        return self.answer is not None or self.refused or self.lost

    @property
    def begun_at(self) -> int:
        """Raw offset behind the frame before the output; where the exchange began without one."""
        return self._transcript.text.raw_of(self.begun - 1) + 1 if self._begins and self.begun else self.start

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new."""
        _ = quiet
        if self.done:
            return
        text = self._transcript.text
        if self.begun is None and not self._look_for_begin(text):
            self._look_in_kernel()
            return
        found = self._ended(text)
        if found is not None:
            self._close(found)
        else:
            self._look_in_kernel()

    def _look_for_begin(self, text: Track) -> bool:
        at = text.find(self._begin, self._text_at)
        if at >= 0:
            self.begun = self._text_at = at + len(self._begin)
            return True
        self.refused = text.find(frame.REFUSED, self._text_at) >= 0
        self.lost = text.search(frame.LOST, self._text_at, text.end) is not None
        self._text_at = max(self._text_at, text.end - len(self._begin) + 1)
        return False

    def _ended(self, text: Track) -> tuple[int, int, bytes | None] | None:
        """Return begin and end of the frame, and the status as it is printed."""
        at = text.find(self._key, self._text_at)
        while at >= 0:
            follows = at + len(self._key)
            line = text.slice(follows, text.line_end(follows))
            if not line.endswith(b"\n"):
                self._text_at = at
                return None
            found = frame.STATUS.match(line)
            if found:
                return at, follows + found.end(), found[1]
            at = text.find(self._key, follows)
        self._text_at = max(self._text_at, text.end - len(self._key) + 1)
        return None

    def _close(self, found: tuple[int, int, bytes | None]) -> None:
        text, kernel, (at, stop, told) = self._transcript.text, self._transcript.kernel, found
        begun = self.begun or 0
        if not self._begins and text.slice(begun, begun + 1) == b"\n":
            begun += 1  # the echo of Enter
        certain = text.raw_of(stop - 1) + 1
        first, last = kernel.offset_of(self.start), kernel.offset_of(certain)
        self.answer = Answer(
            output=text.slice(begun, at),
            status=frame.status_of(told),
            start=text.raw_of(begun - 1) + 1,
            end=text.raw_of(at),
            certain=certain,
            kernel=tuple(line for _, line in kernel.lines(first, last)),
            dropped=max(text.start - begun, 0),
        )

    def _look_in_kernel(self) -> None:
        """Look for the frame on lines that carry a stamp like the kernel's."""
        kernel = self._transcript.kernel
        at = kernel.rfind(self._key, self._kernel_at)
        self._kernel_at = max(self._kernel_at, kernel.end - len(self._key) + 1)
        if at < 0:
            return
        certain = kernel.raw_of(kernel.line_end(at) - 1) + 1
        start = self.start
        if self._begins and self.begun is not None:
            start = self._transcript.text.raw_of(self.begun - 1) + 1
        whole = self._transcript.merged(start, max(certain, kernel.raw_of(at) + 1), stamps=False)
        stop = whole.find(self._key)
        found = frame.STATUS.match(whole, stop + len(self._key)) if stop >= 0 else None
        if found is None:
            return
        begun = whole.find(self._begin)
        begun = begun + len(self._begin) if begun >= 0 else 0
        self.answer = Answer(
            output=whole[begun:stop].removeprefix(b"\n"),
            status=frame.status_of(found[1]),
            start=start,
            end=certain,
            certain=certain,
        )


class Begun:
    """Listens for the beginning of an exchange only."""

    def __init__(self, exchange: Exchange) -> None:
        """Look at what the exchange sees."""
        self._exchange = exchange

    @property
    def done(self) -> bool:
        """Whether the command runs, or was not run."""
        return self._exchange.begun is not None or self._exchange.done

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new."""
        self._exchange.advance(quiet=quiet)


class Echo:
    """Listens for what was typed, as it comes back."""

    def __init__(self, transcript: Transcript, typed: bytes, start: int) -> None:
        """Listen from the raw offset `start` on."""
        self._transcript = transcript
        self._typed = typed
        self._at = transcript.text.offset_of(start)
        self.seen = False

    @property
    def done(self) -> bool:
        """Whether it has come back whole."""
        return self.seen

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new."""
        _ = quiet
        text = self._transcript.text
        if text.find(self._typed, self._at) >= 0:
            self.seen = True
        elif self._transcript.held:
            tail = text.slice(max(self._at, text.end - len(self._typed)), text.end)
            self.seen = self._typed in tail + self._transcript.held
        self._at = max(self._at, text.end - len(self._typed) + 1)
