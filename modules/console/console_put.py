"""Send a file to the board over its console."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Literal

from runner.api import Context, Duration, FilePath, LabError, Module, RecipeFault, Result, Size, arg, device
from runner.console import Console, Sender
from runner.modules.console import pieces
from runner.modules.console.board_files import BoardFiles, quoted

Way = Literal["base64", "printf", "xmodem"]


class Put(Result):
    """What was sent."""

    size: int
    """In bytes."""
    sha256: str
    method: Way
    verified_by: pieces.Sum
    """The board's program whose checksum is the same as ours."""
    resent: int
    """Pieces that were sent again because they had arrived damaged."""
    elapsed: Duration
    rate: float
    """Bytes of the file per second."""


class ConsolePut(Module):
    r"""Send a file to the board through its shell, where there is no network.

    It is typed in pieces, each compared with its checksum and sent again when it is damaged; the
    whole file is compared before it gets its name. A board without base64 needs nothing but the
    shell's printf. XMODEM needs `rx` on the board (busybox, lrzsz) and a line that passes every
    byte; it is the fastest: base64 sends four bytes for three.

    Example::

        - console_put: {file: images/sensor.conf, to: /etc/sensor.conf}
        - console_put: {text: "10.0.2.2 lab\n", to: /etc/hosts, mode: "644"}
        - console_put: {file: images/update.bin, to: /tmp/update.bin, method: printf}
          timeout: 10m
    """

    file: FilePath | None = arg(default=None, help="the file to send")
    text: str | None = arg(default=None, help="its content, instead of a file")
    to: str = arg(help="the file's path on the board")
    mode: str = arg(default="", help='its permissions, as in "755"; as the board makes them when left out')
    method: Literal["auto", "base64", "printf", "xmodem"] = arg(
        default="auto", help="how it travels; auto: base64, or printf where there is none"
    )
    piece: Size | None = arg(
        default=None,
        help="how much is sent before it is checked; as much as a terminal takes when left out (2.8 KiB as "
        "base64): more needs a board that reads as fast as it is typed on",
        minimum=256,
    )
    console: Console = device(help="the console with the shell")

    def run(self, context: Context) -> Put:
        """Send it, compare it, and give it its name."""
        data = self._data()
        started = time.monotonic()
        board = BoardFiles(self.console, context)
        method = self._method(board)
        part = f"{self.to}.part"
        board.do(f"true >{quoted(part)}", f"write {part}")
        if method == "xmodem":
            self._transfer(data, board, part, context)
        else:
            self._type(data, method, board, part, context)
        self._verify(data, board, part, context)
        self._name(board, part)
        elapsed = time.monotonic() - started
        return Put(
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            method=method,
            verified_by=board.sum,
            resent=board.resent,
            elapsed=Duration(elapsed),
            rate=len(data) / elapsed if elapsed else 0.0,
        )

    def _data(self) -> bytes:
        if (self.file is None) == (self.text is None):
            raise RecipeFault("console_put needs one of 'file' and 'text'")
        if self.mode.strip("01234567"):
            raise RecipeFault(f'{self.mode!r} is no mode: write octal digits, as in "755"')
        if self.file is None:
            return (self.text or "").encode()
        try:
            return Path(self.file).read_bytes()
        except OSError as error:
            raise RecipeFault(
                f"cannot read {str(self.file)!r} on the bench's host: {error.strerror}"
            ) from error

    def _method(self, board: BoardFiles) -> Way:
        if self.method == "auto":
            return "base64" if board.tool(("base64", "printf"), "to take a file") == "base64" else "printf"
        for tool in ("rx", "head") if self.method == "xmodem" else (self.method,):
            board.tool((tool,), f"for the method {self.method!r}")
        return self.method

    def _transfer(self, data: bytes, board: BoardFiles, part: str, context: Context) -> None:
        """Send it by XMODEM, and take off what its last block is filled up with."""
        if not data:
            return  # lrzsz's rx takes a transfer without a block for an error
        one = quoted(f"{part}.1")
        checked = "-c " if board.has("rb") else ""  # lrzsz asks for sums without it; busybox always for CRC
        sender = Sender(data, large=True)
        limit = Duration(float(context.left))
        self.console.converse(f"rx {checked}{one}", sender, context, total=len(data), timeout=limit)
        board.resent += sender.repeated
        board.do(f"head -c {len(data)} <{one} >{quoted(part)}&&rm -f {one}", f"write {part}")

    def _type(
        self, data: bytes, encoding: pieces.Encoding, board: BoardFiles, part: str, context: Context
    ) -> None:
        """Type piece after piece; a piece joins the file once its checksum is right."""
        one = quoted(f"{part}.1")
        join = f"cat {one}>>{quoted(part)};"
        done, size, attempt, first = 0, int(self.piece or pieces.fitting(encoding)), 1, ""
        while done < len(data):
            piece = data[done : done + size]
            problem = board.put_piece(piece, encoding, one, first)
            first = ""
            if problem:
                size = board.again(f"{self.to} from byte {done} on", problem, attempt, size)
                attempt += 1
                continue
            done, attempt, first = done + len(piece), 1, join
            context.progress(done, len(data))
        board.do(f"{first}rm -f {one}", f"write {part}")

    def _verify(self, data: bytes, board: BoardFiles, part: str, context: Context) -> None:
        wanted, found = pieces.sum_of(data, board.sum), board.checksum(part, Duration(float(context.left)))
        if wanted != found:
            raise LabError(
                f"{self.to} arrived damaged: {board.sum} is {found or 'missing'!r}, expected {wanted!r}",
                evidence={"expected": wanted, "actual": found, "file": part},
                hint=f"what arrived is left in {part}",
            )

    def _name(self, board: BoardFiles, part: str) -> None:
        mode = f"chmod {self.mode} {quoted(part)}&&" if self.mode else ""
        board.do(f"{mode}mv -f {quoted(part)} {quoted(self.to)}", f"write {self.to}")
