"""Messages: what frames say when they are put together. Functions of bytes, no port.

CALL, PUSH, RESULT and ERROR may come in several frames, until END on their stream;
each of the other kinds is a message by itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from runner.agent.calls import (
    Accept,
    Advanced,
    Configure,
    Connect,
    DeviceSpec,
    Ended,
    Heard,
    Inspect,
    Lift,
    Listen,
    Look,
    Noted,
    Opened,
    Put,
    Quarantine,
    Release,
    Request,
    Reserve,
    Run,
    Said,
    Saved,
    Saving,
    Switched,
    Take,
    TakenAway,
    Unlisten,
    Vacate,
    Waiting,
    WatchSpec,
)
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


def pack(said: Request | Heard) -> bytes:
    """Write a request or what is heard as JSON with the name of its class."""
    return to_json({type(said).__name__: vars(said)})


def unpack_request(payload: bytes) -> Request:
    """Read a request; raise ProtocolError for anything else."""
    request: Request = _unpack(payload, _REQUESTS)
    return request


def unpack_heard(payload: bytes) -> Heard:
    """Read what is heard of a call; raise ProtocolError for anything else."""
    heard: Heard = _unpack(payload, _HEARD)
    return heard


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


def pack_cancel(cause: str, *, timed_out: bool) -> bytes:
    """Write why a call has to stop, and whether a limit in time is the reason."""
    return to_json({"cause": cause, "timed_out": timed_out})


def unpack_cancel(payload: bytes) -> tuple[str, bool]:
    """Read a cause, and whether it is a limit in time; raise ProtocolError for anything else."""
    try:
        told = from_json(payload)
        return str(told["cause"]), bool(told["timed_out"])
    except (TypeError, KeyError) as error:
        raise ProtocolError(f"expected a cause, got {payload[:80]!r}") from error


def pack_connected(peer: str) -> bytes:
    """Return the payload of the EVENT after which a stream carries bytes."""
    return to_json({"Connected": {"peer": peer[:1024]}})


def unpack_connected(payload: bytes) -> str:
    """Read who a stream is connected to; raise ProtocolError for anything else."""
    try:
        return str(from_json(payload)["Connected"]["peer"])
    except (TypeError, KeyError) as error:
        raise ProtocolError(f"expected a connection, got {payload[:80]!r}") from error


def unpack_ended(payload: bytes) -> Ended:
    """Read how a call ended; raise ProtocolError for anything else."""
    ended: Ended = _made(Ended, from_json(payload))
    return ended


def _configure(
    devices: dict[str, Any],
    watch: dict[str, Any] | None,
    orders: list[dict[str, Any]] | None = None,
    **rest: Any,
) -> Configure:
    return Configure(
        devices={name: DeviceSpec(**spec) for name, spec in devices.items()},
        watch=None if watch is None else WatchSpec(tuple(watch["allow"]), watch["added"]),
        orders=tuple(Run(**order) for order in orders or ()),
        **rest,
    )


def _take(configure: dict[str, Any] | None = None, **rest: Any) -> Take:
    return Take(configure=None if configure is None else _configure(**configure), **rest)


_REQUESTS: dict[str, Callable[..., Request]] = {
    "Put": Put,
    "Configure": _configure,
    "Take": _take,
    "Run": Run,
    "Release": Release,
    "Quarantine": Quarantine,
    "Lift": Lift,
    "Inspect": Inspect,
    "Reserve": Reserve,
    "Vacate": Vacate,
    "Look": Look,
    "Connect": Connect,
    "Listen": Listen,
    "Accept": Accept,
    "Unlisten": Unlisten,
}
_HEARD: dict[str, Callable[..., Heard]] = {
    each.__name__: each
    for each in (Said, Advanced, Noted, Saving, Saved, Opened, Switched, TakenAway, Waiting)
}


def _unpack(payload: bytes, kinds: dict[str, Callable[..., Any]]) -> Any:
    value = from_json(payload)
    if not isinstance(value, dict) or len(value) != 1:
        raise ProtocolError(f"expected one of {', '.join(kinds)}, got {payload[:80]!r}")
    ((name, fields),) = value.items()
    if name not in kinds:
        raise ProtocolError(f"expected one of {', '.join(kinds)}, got {name[:80]!r}")
    return _made(kinds[name], fields)


def _made(kind: Callable[..., Any], fields: Any) -> Any:
    try:
        return kind(**fields)
    except (TypeError, AttributeError) as error:
        raise ProtocolError(f"not the fields that were agreed on: {error}") from error
