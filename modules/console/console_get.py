"""Fetch a file from the board over its console."""

from __future__ import annotations

import hashlib
import posixpath
import time
from typing import Literal

from runner.api import Context, Duration, LabError, Module, Result, Size, arg, device
from runner.console import Console, Receiver
from runner.modules.console import pieces
from runner.modules.console.board_files import BoardFiles, quoted

_LONGEST_TEXT = 64 * 1024


class Got(Result):
    """What was fetched."""

    name: str
    """Of the file in ``artifacts/``."""
    size: int
    """In bytes."""
    sha256: str
    text: str
    """Its content, for expectations; the first 64 KiB, and bytes that are not UTF-8 as \\xNN."""
    method: str
    verified_by: pieces.Sum
    """The board's program whose checksum is the same as ours."""
    resent: int
    """Pieces that were fetched again because they had arrived damaged."""
    elapsed: Duration
    rate: float
    """Bytes of the file per second."""


class ConsoleGet(Module):
    """Fetch a file from the board through its shell, where there is no network.

    It is printed in pieces, each compared with its checksum and fetched again when it is damaged;
    then the whole. It is kept in the run's `artifacts/`. XMODEM needs `sx` on the board (lrzsz).

    Example::

        - console_get: /var/log/selftest.log
          register: log
          expect: "'PASS' in log.text"
        - console_get: {file: /data/trace.bin, to: trace-after-boot.bin}
          timeout: 10m
    """

    file: str = arg(primary=True, help="the file's path on the board")
    to: str = arg(default="", help="its name in artifacts/; its own name when left out")
    method: Literal["auto", "base64", "od", "hexdump", "xxd", "xmodem"] = arg(
        default="auto", help="how it travels; auto: the first of them that the board has, but not xmodem"
    )
    piece: Size = arg(default=Size("16KiB"), help="how much is fetched before it is checked", minimum=256)
    console: Console = device(help="the console with the shell")

    def run(self, context: Context) -> Got:
        """Fetch it, compare it, and keep it."""
        started = time.monotonic()
        board = BoardFiles(self.console, context)
        method = self._method(board)
        size = int(board.do(f"wc -c<{quoted(self.file)}", f"read {self.file}").split()[-1])
        if method == "xmodem":
            data = self._receive(size, board, context)
        else:
            data = self._fetch(size, method, board, context)
        self._verify(data, board, context)
        name = self.to or posixpath.basename(self.file)
        context.artifact(name, data)
        elapsed = time.monotonic() - started
        return Got(
            name=name,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            text=data[:_LONGEST_TEXT].decode("utf-8", "backslashreplace"),
            method=method,
            verified_by=board.sum,
            resent=board.resent,
            elapsed=Duration(elapsed),
            rate=len(data) / elapsed if elapsed else 0.0,
        )

    def _method(self, board: BoardFiles) -> str:
        if self.method == "auto":
            board.tool(("dd",), "to give a file in pieces")
            return board.tool(pieces.DUMPS, "to print a file as text")
        board.tool(("sx" if self.method == "xmodem" else self.method,), f"for the method {self.method!r}")
        return self.method

    def _fetch(self, size: int, tool: str, board: BoardFiles, context: Context) -> bytes:
        """Fetch piece after piece; a smaller piece begins where the last good one ended."""
        data, step, attempt = b"", int(self.piece), 1
        while len(data) < size:
            piece = board.get_piece(self.file, tool, len(data) // step, step)
            if not piece:
                halved = board.again(f"{self.file} from byte {len(data)} on", "wrong checksum", attempt, step)
                step = halved if len(data) % halved == 0 else step
                attempt += 1
                continue
            data, attempt = data + piece, 1
            context.progress(len(data), size)
        return data

    def _receive(self, size: int, board: BoardFiles, context: Context) -> bytes:
        receiver = Receiver()
        limit = Duration(float(context.left))
        self.console.converse(f"sx {quoted(self.file)}", receiver, context, total=size, timeout=limit)
        board.resent += receiver.repeated
        return receiver.content[:size]

    def _verify(self, data: bytes, board: BoardFiles, context: Context) -> None:
        wanted, found = (
            board.checksum(self.file, Duration(float(context.left))),
            pieces.sum_of(data, board.sum),
        )
        if wanted != found:
            raise LabError(
                f"{self.file} arrived damaged, or has changed meanwhile: {board.sum} is {found!r}, "
                f"expected {wanted!r}",
                evidence={"expected": wanted, "actual": found},
            )
