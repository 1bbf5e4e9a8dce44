"""Messages: what frames say when they are put together. Functions of bytes, no port.

CALL, PUSH, RESULT and ERROR may come in several frames, until END on their stream;
each of the other kinds is a message by itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from runner.agent.frames import CONNECTION, LARGEST_PAYLOAD, Frame, Kind, ProtocolError

WANTED = b'{"Wanted":"code"}'
"""The event of an agent whose cache lacks the code that was named."""
LARGEST_MESSAGE = 256 * 2**20
_OPEN_AT_ONCE = 4096
_IN_PIECES = frozenset({Kind.CALL, Kind.PUSH, Kind.RESULT, Kind.ERROR})


class Message(NamedTuple):
    """A whole message, or the END of a stream on which nothing was collected."""

    kind: Kind
    stream: int
    payload: bytes


class MessageReader:
    """Puts frames together; memory is bounded by `LARGEST_MESSAGE` over all streams."""

    def __init__(self) -> None:
        """Wait for the first frame."""
        self._pieces: dict[int, tuple[Kind, list[bytes]]] = {}
        self._held = 0

    def take(self, frame: Frame) -> Message | None:
        """Return the message that `frame` completes, if it does; raise ProtocolError for nonsense."""
        kind, stream, payload = frame
        if kind is Kind.END:
            return self._ended(stream)
        if kind not in _IN_PIECES or (kind is Kind.ERROR and stream == CONNECTION):
            return Message(kind, stream, payload)
        found, pieces = self._pieces.setdefault(stream, (kind, []))
        self._held += len(payload)
        if found is not kind:
            raise ProtocolError(f"{kind.name} amid the {found.name} of stream {stream}")
        if self._held > LARGEST_MESSAGE or len(self._pieces) > _OPEN_AT_ONCE:
            raise ProtocolError(f"unfinished messages of more than {LARGEST_MESSAGE} bytes")
        pieces.append(payload)
        return None

    def _ended(self, stream: int) -> Message:
        if stream not in self._pieces:
            return Message(Kind.END, stream, b"")
        kind, pieces = self._pieces.pop(stream)
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._held -= len(whole)
        return Message(kind, stream, whole)


def to_json(value: Any) -> bytes:
    """Write data, also our plain dataclasses, as JSON; integers stay exact."""
    return _ENCODER.encode(value).encode("ascii")


def from_json(payload: bytes) -> Any:
    """Read JSON; raise ProtocolError for anything else."""
    try:
        return _DECODER.decode(payload.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"expected JSON, got {payload[:80]!r}") from error


_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=vars)


def pack_sources(sources: Mapping[str, tuple[str, str]]) -> bytes:
    """Write sources as JSON, packed (RFC 1950) when they do not fit into one frame."""
    written = to_json(dict(sources))
    return written if len(written) <= LARGEST_PAYLOAD else zlib.compress(written, 1)


def unpack_sources(payload: bytes) -> Any:
    """Read sources; raise ProtocolError for anything else."""
    if payload[:1] == b"{":
        return from_json(payload)
    try:
        unpacking = zlib.decompressobj()
        written = unpacking.decompress(payload, LARGEST_MESSAGE)
    except zlib.error as error:
        raise ProtocolError(f"expected sources, got {payload[:80]!r}") from error
    if not unpacking.eof:
        raise ProtocolError(f"sources that end too early, or of more than {LARGEST_MESSAGE} bytes")
    return from_json(written)
