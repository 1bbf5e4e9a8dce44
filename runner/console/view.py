"""The clean view: what a person would read, apart from what the kernel threw in.

Bytes go in, pieces of two texts come out: the console's own text, in which interrupted
lines are joined again, and the kernel's messages. Both only ever grow, and do not depend
on how the bytes were cut into chunks: what cannot be decided yet is held back.

A carriage return that does not end a line begins a new one: what it would overwrite on a
screen has been said, and can be matched.
"""

from __future__ import annotations

from typing import NamedTuple

from runner.console import escapes, kmsg


class Piece(NamedTuple):
    """Clean bytes and where they come from.

    `raw` is the offset of the first byte. `source` is what stood there when its line ends
    were shortened from CR LF to LF; None when the bytes are as they were.
    """

    data: bytes
    raw: int
    kernel: bool = False
    source: bytes | None = None


class View:
    """Turns raw bytes into clean pieces."""

    def __init__(self) -> None:
        """Begin at the start of a line, at raw offset 0."""
        self._undecided = b""
        self._undecided_at = 0
        self._order = b""
        self._order_raws: list[int] = []
        self._line_start = True

    @property
    def held(self) -> bytes:
        """What may be a kernel message, and is held back until that is known."""
        return self._undecided

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next raw bytes; return what can be said of them."""
        pieces: list[Piece] = []
        if self._undecided:
            data = self._undecided + data
        self._separate(data, self._undecided_at, pieces)
        return pieces

    def flush(self) -> list[Piece]:
        """Take what is held back as text, because nothing follows."""
        pieces: list[Piece] = []
        if self._undecided:
            data, self._undecided = self._undecided, b""
            at, self._undecided_at = self._undecided_at, self._undecided_at + len(data)
            self._show(data, at, pieces)
        return pieces

    def restart(self) -> None:
        """Forget an order that was cut off; what comes next does not complete it."""
        self._order = b""

    def skip(self, count: int) -> None:
        """Count bytes that are not shown; nothing may be held back."""
        self._undecided_at += count

    def _separate(self, data: bytes, base: int, pieces: list[Piece]) -> None:
        """Cut kernel messages out; `base` is the raw offset of `data`."""
        done = 0
        search = 0
        size = len(data)
        while (stamp := kmsg.find(data, search)) is not None:
            start, message = stamp
            end = data.find(b"\n", message, start + kmsg.LONGEST) + 1
            if not end and size - start < kmsg.LONGEST:
                self._hold(data, done, start, base, pieces)
                return
            if not end:
                search = message
                continue
            self._show(data[done:start], base + done, pieces)
            pieces.append(Piece(data[start:end].rstrip(b"\r\n") + b"\n", base + start, kernel=True))
            done = search = end
        self._hold(data, done, kmsg.undecided(data, search), base, pieces)

    def _hold(self, data: bytes, done: int, start: int, base: int, pieces: list[Piece]) -> None:
        self._show(data[done:start], base + done, pieces)
        self._undecided = data[start:]
        self._undecided_at = base + start

    def _show(self, data: bytes, raw: int, pieces: list[Piece]) -> None:
        """Carry out what a terminal takes as orders."""
        if self._order and data:
            data, raw = self._finish_order(data, raw, pieces)
        cut = escapes.cut_off(data) if data else 0
        if cut < len(data):
            self._order, self._order_raws = data[cut:], list(range(raw + cut, raw + len(data)))
            data = data[:cut]
        if data:
            self._show_whole(data, raw, pieces)

    def _finish_order(self, data: bytes, raw: int, pieces: list[Piece]) -> tuple[bytes, int]:
        """Complete an order that a chunk or a kernel message has cut; return what follows it."""
        order, raws = self._order, self._order_raws
        whole = order + data
        found = escapes.ORDERS.match(whole)
        if escapes.cut_off(whole) == 0 or found is None:
            self._order, self._order_raws = whole, [*raws, *range(raw, raw + len(data))]
            return b"", raw
        self._order, self._order_raws = b"", []
        taken = found.end() - len(order)
        if taken >= 0:
            self._obey(found[0], raw + taken - 1 if taken else raws[-1], pieces)
            return data[taken:], raw + taken
        # It is not what it seemed to be: only its first bytes are dropped, the others are text.
        rest, raws = order[found.end() :], raws[found.end() :]
        cut = escapes.cut_off(rest)
        self._show_scattered(rest[:cut], raws, pieces)
        if cut == len(rest):
            return data, raw
        self._order, self._order_raws = rest[cut:], raws[cut:]
        return self._finish_order(data, raw, pieces)

    def _show_scattered(self, data: bytes, raws: list[int], pieces: list[Piece]) -> None:
        """Show bytes between which kernel messages may have stood; `raws` has the offset of each."""
        shown: list[Piece] = []
        self._show_between(data, 0, shown)
        for piece in shown:
            for index in range(len(piece.data)):
                pieces.append(Piece(piece.data[index : index + 1], raws[piece.raw + index]))  # noqa: PERF401

    def _show_whole(self, data: bytes, raw: int, pieces: list[Piece]) -> None:
        """Show bytes that end with no order cut off."""
        clean = escapes.shortened(data)
        if clean is None:
            self._show_between(data, raw, pieces)
            return
        pieces.append(Piece(clean, raw, source=None if clean is data else data))
        self._line_start = clean.endswith(b"\n")

    def _show_between(self, data: bytes, raw: int, pieces: list[Piece]) -> None:
        done = 0
        for order in escapes.ORDERS.finditer(data):
            if order.start() > done:
                pieces.append(Piece(data[done : order.start()], raw + done))
                self._line_start = data[order.start() - 1] == 10
            done = order.end()
            self._obey(order[0], raw + done - 1, pieces)
        if done < len(data):
            pieces.append(Piece(data[done:], raw + done))
            self._line_start = data[-1] == 10

    def _obey(self, order: bytes, raw: int, pieces: list[Piece]) -> None:
        if order[0] == 13 and (order[-1] == 10 or not self._line_start):
            pieces.append(Piece(b"\n", raw))
            self._line_start = True
