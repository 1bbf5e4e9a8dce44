"""Wait for something to be said on the network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Literal

from runner.api import (
    BytePattern,
    ByteString,
    Context,
    Conversation,
    Duration,
    Failed,
    Module,
    Network,
    RecipeFault,
    Result,
    TimedOut,
    arg,
    device,
)
from runner.modules.network.net_send import conversation

_SHOWN = 2000


class NetHeard(Result):
    """What matched, and what was received up to its end."""

    match: str
    groups: Mapping[str, str]
    """The named groups of the pattern."""
    output: str
    """As text; what is no UTF-8 is written ``\\x80``."""
    data: ByteString
    elapsed: Duration
    """How long it was waited; 0 for what was there before."""


class NetExpect(Module):
    r"""Wait until something is received on the connection of `net_send`.

    Looked at is what came since the last `net_send` on this device (`since: start`: since it was
    connected), also what came before this step began.

    Example::

        - net_send: "PING\n"
        - net_expect: {exact: "PONG", within: 500ms}
        - net_expect: {data: "01 ?? 03"}
    """

    limited_by = "within"

    pattern: str | None = arg(default=None, primary=True, help="a regular expression")
    exact: str | None = arg(default=None, help="the very text")
    data: BytePattern | None = arg(default=None, help='bytes, ?? for any: "41 ?? 00"')
    since: Literal["send", "start"] = arg(default="send", help="from where on it counts")
    within: Duration = arg(default=Duration("10s"), help="how long to wait")
    network: Network = device(help="who is to say it")

    def run(self, context: Context) -> NetHeard:
        """Wait for it."""
        search = _search(self._pattern())
        talk = conversation(self.network, self.within)
        since = talk.asked_at if self.since == "send" else 0
        started = time.monotonic()
        here = search(talk.after(since)) is not None
        found = talk.find(search, since, self.within, context)
        elapsed = Duration(0 if here else time.monotonic() - started)
        received = talk.after(since)
        if found is None:
            raise self._missed(talk, received, elapsed)
        return NetHeard(
            match=_text(found[0]),
            groups={name: _text(value or b"") for name, value in found.groupdict().items()},
            output=_text(received[: found.end()]),
            data=ByteString(received[: found.end()]),
            elapsed=elapsed,
        )

    def _pattern(self) -> bytes:
        given = [each for each in (self.pattern, self.exact, self.data) if each is not None]
        if len(given) != 1:
            raise RecipeFault("net_expect needs one of 'pattern', 'exact' and 'data'")
        if self.pattern is not None:
            return self.pattern.encode()
        if self.exact is not None:
            return re.escape(self.exact.encode())
        pairs = str(self.data).split()
        return b"".join(b"." if pair == "??" else re.escape(bytes.fromhex(pair)) for pair in pairs)

    @property
    def _wanted(self) -> str:
        return repr(self.pattern or self.exact or str(self.data))

    def _missed(self, talk: Conversation, received: bytes, elapsed: Duration) -> Failed:
        evidence = {
            "expected": self._wanted,
            "received": _text(received[-_SHOWN:]),
            "bytes": len(received),
            "seconds": round(elapsed, 3),
        }
        if talk.ended is not None:
            return Failed(f"{talk.name}: no {self._wanted} before the end: {talk.ended}", evidence=evidence)
        instead = f"{len(received)} bytes of something else" if received else "nothing"
        return TimedOut(
            f"{talk.name}: no {self._wanted} within {self.within}, but {instead}",
            evidence={**evidence, "limit": float(self.within)},
            hint="give it more time with 'within'",
        )


def _search(pattern: bytes) -> Callable[[bytes], re.Match[bytes] | None]:
    try:
        return re.compile(pattern, re.DOTALL | re.MULTILINE).search
    except re.error as error:
        raise RecipeFault(f"{pattern.decode()!r} is no regular expression: {error}") from error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
