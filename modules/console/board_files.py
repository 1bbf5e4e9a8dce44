"""Files of a board, seen through its shell."""

from __future__ import annotations

import shlex

from runner.api import Context, Duration, Failed, LabError, TimedOut, Unsupported
from runner.console import Console
from runner.modules.console import pieces

_WANTED = (
    *("base64", "cat", "cksum", "dd", "head", "hexdump", "md5sum", "mv", "od", "printf"),
    *("rb", "rm", "rx", "sha256sum", "sx", "wc", "xxd"),
)
_SUMS: tuple[pieces.Sum, ...] = ("sha256sum", "md5sum", "cksum")
_SHORT = Duration("30s")
PIECE_LIMIT = Duration("60s")
"""How long one piece may take."""
_TRIES = 5
_SMALLEST = 256


class BoardFiles:
    """Runs the little commands that move and check files."""

    def __init__(self, console: Console, context: Context) -> None:
        """Ask the board which programs it has."""
        self._console = console
        self._context = context
        look = f"for _t in {' '.join(_WANTED)};do command -v $_t >/dev/null 2>&1&&echo $_t;done;:"
        self._tools = frozenset(console.run(look, context, timeout=_SHORT).output.split())
        found = self.tool(_SUMS, "to check what arrives")
        self.sum: pieces.Sum = next(each for each in _SUMS if each == found)
        self.resent = 0
        """How many pieces were sent again."""

    def tool(self, names: tuple[str, ...], why: str) -> str:
        """Return the first of these programs that is there; raise Unsupported for none."""
        found = next((name for name in names if name in self._tools), None)
        if found is None:
            raise Unsupported(
                f"the board has no {' and no '.join(names)} {why}",
                evidence={"programs": sorted(self._tools)},
            )
        return found

    def has(self, name: str) -> bool:
        """Tell whether a program is there."""
        return name in self._tools

    def do(self, command: str, what: str) -> str:
        """Run a command that must succeed; return its output. Raise Failed with what it printed."""
        ran = self._console.run(command, self._context, timeout=_SHORT)
        if ran.status:
            raise Failed(
                f"the board cannot {what}: {ran.output.strip()[-200:] or f'exit status {ran.status}'}",
                evidence={"command": command, "status": ran.status, "output": ran.output},
            )
        return ran.output

    def checksum(self, path: str, timeout: Duration) -> str:
        """Return the checksum of a whole file."""
        ran = self._console.run(f"{self.sum}<{quoted(path)}", self._context, timeout=timeout)
        if ran.status:
            raise Failed(f"the board cannot read {path}: {ran.output.strip()[-200:]}")
        return pieces.sum_in(ran.output, self.sum)

    def put_piece(self, data: bytes, encoding: pieces.Encoding, path: str, first: str) -> str:
        """Type a piece into a file, after the command `first`; return what is wrong with it, if anything."""
        typed = b"".join(line + b"\n" for line in (*pieces.lines_of(data, encoding), pieces.END))
        typed = typed.replace(b"\n", self._console.settings.newline.encode())
        command = f"{first}{pieces.receiving(encoding, path)};{self.sum}<{path}"
        try:
            ran = self._console.run(
                command,
                self._context,
                timeout=PIECE_LIMIT,
                meanwhile=lambda _running: self._console.send(typed, self._context),
            )
        except TimedOut as error:
            return error.message
        wrong = ran.status or pieces.sum_in(ran.output, self.sum) != pieces.sum_of(data, self.sum)
        return (ran.output.strip()[-200:] or "no checksum came") if wrong else ""

    def get_piece(self, path: str, tool: str, number: int, size: int) -> bytes | None:
        """Have one piece printed; None when it arrives damaged."""
        read = f"dd if={quoted(path)} bs={size} skip={number} count=1 2>/dev/null"
        command = f"{read}|{pieces.dumping(tool)};echo;{read}|{self.sum}"
        try:
            ran = self._console.run(command, self._context, timeout=PIECE_LIMIT)
        except TimedOut as error:
            self._context.log(f"a piece did not come to its end: {error.message}", "warning")
            return None
        text, _, _ = ran.output.rstrip("\n").rpartition("\n")
        data = pieces.undumped(tool, text)
        good = data is not None and pieces.sum_in(ran.output, self.sum) == pieces.sum_of(data, self.sum)
        return data if good else None

    def again(self, what: str, problem: str, attempt: int, size: int) -> int:
        """Note a damaged piece; return the size for the next try. Raise LabError after the last one."""
        if attempt >= _TRIES:
            raise LabError(
                f"{what} arrives damaged, {_TRIES} times: {problem}",
                hint="set char_delay on this console, and check its speed and wiring",
            )
        self.resent += 1
        smaller = max(size // 2, _SMALLEST)
        self._context.log(
            f"{what} arrived damaged and is sent again, in pieces of {smaller} bytes: {problem}", "warning"
        )
        return smaller


def quoted(path: str) -> str:
    r"""Quote a path for a shell; one that begins with a hyphen is no option.

    >>> quoted("it's"), quoted("-x")
    ('\'it\'"\'"\'s\'', './-x')
    """
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
