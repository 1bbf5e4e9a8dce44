"""Attaching to a console that an agent holds: what is said over its socket. Functions of bytes, no port.

The frames are those of `runner.agent.frames`. The reader says HELLO, the agent answers HELLO and
then sends DATA with stamps (`runner.agent.consoles.pack_chunk`); a reader that has taken the input
sends DATA with what is typed. An EVENT is a remark for people, an ERROR the reason of the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.agent.frames import CONNECTION, FIRST_CONSOLE, PROTOCOL, Frame, Kind, ProtocolError, frame
from runner.agent.lock_files import file_name
from runner.agent.reader import from_json, to_json

_LONGEST_WORDS = 1024


@dataclass(frozen=True)
class Greeting:
    """What a reader wants: to read only, or to type as well."""

    steal: bool


def socket_name(bench: str, device: str, process: int) -> str:
    """Return the name of a console's socket, in the folder of the locks.

    >>> socket_name("rpi4-01", "board.console", 4711)
    'rpi4-01@board.console@4711.console'
    """
    return f"{file_name(bench)}@{file_name(device)}@{process}.console"


def socket_pattern(bench: str, device: str) -> str:
    """Return the pattern of `socket_name` for any process."""
    return f"{file_name(bench)}@{file_name(device)}@*.console"


def greeting(greet: Greeting) -> bytes:
    """Return a reader's first frame."""
    return frame(Kind.HELLO, CONNECTION, to_json({"protocol": PROTOCOL, "steal": greet.steal}))


def read_greeting(heard: Frame) -> Greeting:
    """Read a reader's first frame; raise ProtocolError for anything else."""
    hello = from_json(heard.payload) if heard.kind is Kind.HELLO else None
    if not isinstance(hello, dict) or hello.get("protocol") != PROTOCOL:
        raise ProtocolError(f"expected HELLO of protocol {PROTOCOL}, got {heard.payload[:80]!r}")
    return Greeting(steal=hello.get("steal") is True)


def welcome() -> bytes:
    """Return the agent's first frame."""
    return frame(Kind.HELLO, CONNECTION, to_json({"protocol": PROTOCOL}))


def remark(text: str) -> bytes:
    """Return a remark for people."""
    return frame(Kind.EVENT, CONNECTION, _words(text))


def farewell(text: str) -> bytes:
    """Return the reason of the end."""
    return frame(Kind.ERROR, CONNECTION, _words(text))


def received(payload: bytes) -> bytes:
    """Return a frame of what the console has received, as `pack_chunk` makes its payload."""
    return frame(Kind.DATA, FIRST_CONSOLE, payload)


def typed(data: bytes) -> bytes:
    """Return a frame of what is typed."""
    return frame(Kind.DATA, CONNECTION, data)


def words(heard: Frame) -> str:
    """Return the text of a remark or a farewell."""
    return heard.payload.decode("utf-8", "replace")


def _words(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:_LONGEST_WORDS]
