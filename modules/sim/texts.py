"""Commands of the simulated Linux that only turn text into text (POSIX.1-2017, Shell and Utilities)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping

from runner.modules.sim.processor import Out, Program, complain, encode, say
from runner.modules.sim.shell import CommandBody, Shell, breathe

_ESCAPE = re.compile(r"\\(0[0-7]{0,3}|[1-7][0-7]{0,2}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
}
_FORMAT = re.compile(r"%([-0 +#]*\d*(?:\.\d+)?)([sdiuxXocb%])")
_NUMBERS_AT_ONCE = 20
"""Thousands of numbers that ``seq`` prints in a millisecond."""
_CRC_POLYNOMIAL = 0x04C11DB7


def unescape(text: str) -> str:
    r"""Replace what follows a backslash.

    >>> unescape(r"a\101\x42\n")
    'aAB\n'
    """
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    kind = match[1]
    if kind[0] == "x" and len(kind) > 1:
        return chr(int(kind[1:], 16))
    if kind[0].isdigit():
        return chr(int(kind, 8) % 256)
    return _ESCAPES.get(kind, match[0])


def formatted(pattern: str, arguments: list[str]) -> str:
    """Fill a printf format, again and again while arguments are left.

    >>> formatted("%s=%03d;", ["a", "7", "b", "12"])
    'a=007;b=012;'
    """
    left = list(arguments)
    text = ""
    while True:
        before = len(left)
        text += "".join(_pieces(pattern, left))
        if not left or len(left) == before:
            return text


def _pieces(pattern: str, left: list[str]) -> Iterator[str]:
    position = 0
    for match in _FORMAT.finditer(pattern):
        yield unescape(pattern[position : match.start()])
        position = match.end()
        yield "%" if match[2] == "%" else _conversion(match, left.pop(0) if left else "")
    yield unescape(pattern[position:])


def _conversion(match: re.Match[str], value: str) -> str:
    flags, kind = match[1], match[2]
    if kind in "sbc":
        shown = unescape(value) if kind == "b" else value[:1] if kind == "c" else value
        return f"%{flags}s" % shown
    return f"%{flags}{'d' if kind in 'iu' else kind}" % _integer(value)


def _integer(text: str) -> int:
    try:
        return int(text or "0", 0)
    except ValueError:
        return 0


def posix_crc(data: bytes) -> int:
    """Return the checksum that ``cksum`` prints.

    >>> posix_crc(b"123456789")
    930766865
    """
    table = _crc_table()
    value = 0
    for byte in (*data, *_length_bytes(len(data))):
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value ^ 0xFFFFFFFF


def _length_bytes(length: int) -> Iterator[int]:
    while length:
        yield length & 0xFF
        length >>= 8


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (_CRC_POLYNOMIAL if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


def echo(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    """Print the words."""
    options = []
    rest = words[1:]
    while rest and re.fullmatch("-[neE]+", rest[0]):
        options.append(rest.pop(0))
    text = " ".join(rest)
    chosen = "".join(options)
    return say((unescape(text) if "e" in chosen else text) + ("" if "n" in chosen else "\n"))


def printf(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    """Print by a format."""
    if len(words) < 2:
        return complain("usage: printf FORMAT [ARG]...\n", 2)
    return say(formatted(words[1], words[2:]))


def _inputs(shell: Shell, names: list[str], stdin: str) -> tuple[str, list[str]]:
    """Return the text of the named files, or of stdin, and the names that do not exist."""
    if not names:
        return stdin, []
    contents = {
        name: stdin if name == "-" else shell.files.read(name) if shell.files else None for name in names
    }
    missing = [name for name, content in contents.items() if content is None]
    return "".join(content for content in contents.values() if content is not None), missing


def _filter(work: Callable[[str, list[str]], tuple[str, int]], valued: str = "") -> CommandBody:
    """Make a command of what turns text and options into text and a status.

    `valued`: letters of options that take a value. An option may be one word or two.
    """

    def body(shell: Shell, words: list[str], stdin: str) -> Program[int]:
        options, names = _split_options(words[1:], valued)
        if words[0] == "grep":
            options, names = [*options, *names[:1]], names[1:]
        text, missing = _inputs(shell, names, stdin)
        shown, status = work(text, options)
        yield from say(shown)
        for name in missing:
            status = yield from complain(f"{words[0]}: {name}: No such file or directory\n")
        return status

    return body


def _split_options(words: list[str], valued: str) -> tuple[list[str], list[str]]:
    options: list[str] = []
    names: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            names.append(word)
        elif len(word) == 2 and word[1] in valued and rest:
            options.append(word + rest.pop(0))
        elif word != "--":
            options.append(word)
    return options, names


def _cat(text: str, _options: list[str]) -> tuple[str, int]:
    return text, 0


def _head(text: str, options: list[str]) -> tuple[str, int]:
    for option in options:
        if option.startswith("-c"):
            return text[: _count(option[2:])], 0
    return "".join(text.splitlines(keepends=True)[: _lines(options)]), 0


def _tail(text: str, options: list[str]) -> tuple[str, int]:
    for option in options:
        if option.startswith("-c"):
            return text[-_count(option[2:]) :], 0
    return "".join(text.splitlines(keepends=True)[-_lines(options) :]), 0


def _lines(options: list[str]) -> int:
    return next((_count(option.lstrip("-n")) for option in options), 10)


def _count(text: str) -> int:
    unit = {"k": 1024, "K": 1024, "M": 1024**2}.get(text[-1:], 1)
    return _integer(text.rstrip("kKM")) * unit


def _grep(text: str, options: list[str]) -> tuple[str, int]:
    pattern = options[-1] if options else ""
    flags = "".join(options[:-1])
    wanted = re.compile(re.escape(pattern) if "F" in flags else pattern, re.IGNORECASE if "i" in flags else 0)
    found = [line for line in text.splitlines() if bool(wanted.search(line)) != ("v" in flags)]
    shown = f"{len(found)}\n" if "c" in flags else "".join(f"{line}\n" for line in found)
    return "" if "q" in flags else shown, int(not found)


def _wc(text: str, options: list[str]) -> tuple[str, int]:
    counts = {"-l": text.count("\n"), "-w": len(text.split()), "-c": len(text)}
    wanted = [counts[option] for option in options if option in counts] or list(counts.values())
    return " ".join(map(str, wanted)) + "\n", 0


def _cksum(text: str, _options: list[str]) -> tuple[str, int]:
    return f"{posix_crc(encode(text))} {len(text)}\n", 0


def _md5sum(text: str, _options: list[str]) -> tuple[str, int]:
    return f"{hashlib.md5(encode(text), usedforsecurity=False).hexdigest()}  -\n", 0


def _sha256sum(text: str, _options: list[str]) -> tuple[str, int]:
    return f"{hashlib.sha256(encode(text)).hexdigest()}  -\n", 0


def seq(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    """Print numbers; as many as one likes."""
    numbers = [_integer(word) for word in words[1:]]
    if not numbers:
        return (yield from complain("usage: seq [FIRST [STEP]] LAST\n"))
    first, last = (numbers[0], numbers[-1]) if len(numbers) > 1 else (1, numbers[0])
    step = numbers[1] if len(numbers) > 2 else 1
    for start in range(first, last + 1, step * 1000):
        stop = min(start + step * 1000, last + 1)
        yield Out(encode("".join(f"{number}\n" for number in range(start, stop, step))))
        if not (start - first) % (_NUMBERS_AT_ONCE * 1000 * step):
            yield from breathe()
    return 0


TEXT_COMMANDS: Mapping[str, CommandBody] = {
    "cat": _filter(_cat),
    "cksum": _filter(_cksum),
    "echo": echo,
    "grep": _filter(_grep),
    "head": _filter(_head, "cn"),
    "md5sum": _filter(_md5sum),
    "printf": printf,
    "seq": seq,
    "sha256sum": _filter(_sha256sum),
    "tail": _filter(_tail, "cn"),
    "wc": _filter(_wc),
}
