"""What is typed around a command and what is printed around its output; functions of text and bytes.

Decision: docs/decisions/0006-command-framing.md.
"""

from __future__ import annotations

import random
import re
import string
import zlib

from runner.api import RecipeFault

_ALPHABET = string.ascii_letters + string.digits
_PRINTABLE = "".join(chr(code) for code in range(32, 127) if chr(code) != "'")
_MODULUS = 9973
_LONGEST_LINE = 4000
"""A terminal in line mode takes 4095 characters (Linux, N_TTY_BUF_SIZE)."""

TABLE = f"_T='{_PRINTABLE}'"
"""The table that the function counts with: a character's value is its place."""

_PIECE = 64

FUNCTION = (
    "_r(){ _n=$1 _s=$2 _e= _h=7;shift 2;"
    'for _a in "$_n" "$@";do _e=$_e$_a;'
    'while [ "$_a" ];do _b=${_a#?};_c=${_T%%"${_a%"$_b"}"*};'
    f"_h=$((${{#_c}}<{len(_PRINTABLE)}?_h*3%{_MODULUS}+${{#_c}}:_h));_a=$_b;done;done;set --;"
    'if [ $_h = "$_s" ];then echo "{$_n";eval "${_e#????}";echo "}$_n$?";else echo "}?{";fi;}'
)
"""Runs its arguments from the third on, put together, if nonce and command have the sum that was typed.

POSIX.1-2017, built-ins only. They come in pieces because taking a character off costs a shell
as much as the piece is long.
"""

NO_EDITING = '[ "$BASH_VERSION" ]&&set +o emacs +o vi +o history'
"""Only bash has an editor that gets in the way; inside ``eval`` bash 5 loses its input over this."""

REFUSED = b"}?{\n"
LOST = re.compile(rb"(?<!\w)_r: ")
"""What a shell says in any language when it does not know the function."""


class Nonces:
    """Makes names that no output holds by chance."""

    def __init__(self, seed: int | None = None) -> None:
        """Take random names, or the same ones for the same `seed`."""
        self._random = random.Random(seed)

    def next(self, length: int) -> str:
        """Return a fresh name."""
        return "".join(self._random.choices(_ALPHABET, k=length))


def checksum(text: str) -> int:
    """Return what the function `_r` finds for a text.

    >>> checksum("ab") == checksum("ba")
    False
    """
    value = 7
    for character in text:
        place = _PRINTABLE.find(character)
        if place >= 0:
            value = value * 3 % _MODULUS + place
    return value


def quoted(command: str) -> str:
    r"""Quote for a POSIX shell.

    >>> print(quoted("it's"))
    'it'\''s'
    """
    return "'" + command.replace("'", "'\\''") + "'"


def checked_line(command: str, nonce: str) -> str:
    """Return the line that runs a command by the function, without Enter."""
    pieces = (quoted(command[start : start + _PIECE]) for start in range(0, len(command), _PIECE))
    return f"_r {nonce} {checksum(nonce + command)} {' '.join(pieces)}"


def refuse_untypable(command: str, what: str) -> None:
    """Raise RecipeFault for what a terminal would not pass on as it is."""
    if not command.strip():
        raise RecipeFault(f"{what} is empty")
    bad = next((char for char in command if (char < " " and char not in "\n\t") or char == "\x7f"), None)
    if bad is not None:
        raise RecipeFault(
            f"{what} holds the control character {bad!r}, which a terminal takes as an order",
            hint="use console_send for keys",
        )
    longest = max(len(line.encode()) for line in command.split("\n"))
    if longest > _LONGEST_LINE:
        raise RecipeFault(
            f"{what} has a line of {longest} bytes; a terminal takes {_LONGEST_LINE}",
            hint="put it into a file on the board",
        )


def begin(nonce: str) -> bytes:
    """Return what the function prints before the output."""
    return f"{{{nonce}\n".encode()


def end(nonce: str) -> bytes:
    """Return what is printed behind the output, before the status."""
    return f"}}{nonce}".encode()


STATUS = re.compile(rb"(\d{1,3}|\$\?)?[ \t]*\n")
"""What follows: the status, or ``$?`` as it was typed where no shell knows it."""


def ended(nonce: str) -> re.Pattern[bytes]:
    r"""Return what finds the frame behind the output in the raw log.

    >>> bool(ended("abc").search(b"}abc0\r\n")), bool(ended("abc").search(b"echo }abc$?x"))
    (True, False)
    """
    return re.compile(re.escape(end(nonce)) + rb"(?:\d{1,3}|\$\?)?[ \t]*\r*\n")


def closing(nonce: str) -> str:
    """Return what prints the frame behind a command, as it is typed."""
    return f"echo }}{nonce}$?"


def status_of(told: bytes | None) -> int | None:
    """Return the status that a frame tells; None when the shell does not know it."""
    return int(told) if told and told.isdigit() else None


SELF_TEST = f"#{_PRINTABLE}"
"""A command that does nothing and holds every character that is counted."""


def calm(level: int | None) -> str:
    """Return what makes an interactive shell quiet, and prints the kernel's old console log level.

    Each part may fail: a minimal busybox has no ``stty``.
    """
    parts = [
        "stty -echo cols 999",
        "unset PROMPT_COMMAND HISTFILE",
        "PS1='# ' PS2=",
    ]
    if level is not None:
        path = "/proc/sys/kernel/printk"
        parts += [f"_k=;read _k _x <{path}", f'[ "$_k" -gt {level} ]&&echo {level} >{path}', "echo $_k"]
    return "{ " + ";".join(parts) + ";} 2>/dev/null"


def restore(level: str) -> str:
    """Return what gives a shell back its echo and the kernel its log level."""
    again = f"echo {level} >/proc/sys/kernel/printk;" if level else ""
    return f"{{ {again}stty echo;}} 2>/dev/null"


def dialect() -> str:
    """Return what differs between versions of runner that type other things around a command."""
    typed = (TABLE, FUNCTION, NO_EDITING, checked_line("c", "n"), closing("n"), calm(4), restore("7"))
    return f"{zlib.crc32(chr(10).join(typed).encode()):08x}"
