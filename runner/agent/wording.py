"""Requests, what is heard and how it ends, as JSON. Functions of bytes, no port.

Apart from `runner.agent.messages`, with which an agent begins: this may be pushed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runner.agent.calls import (
    Advanced,
    Answer,
    Configure,
    DeviceSpec,
    Ended,
    Examine,
    Heard,
    Inspect,
    Lift,
    Look,
    Noted,
    Opened,
    Put,
    Quarantine,
    Question,
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
    Vacate,
    Waiting,
    WatchSpec,
)
from runner.agent.forwarding import Accept, Connect, Listen, Unlisten
from runner.agent.frames import ProtocolError
from runner.agent.messages import from_json, to_json


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


def _examine(devices: dict[str, Any], **rest: Any) -> Examine:
    return Examine(devices={name: DeviceSpec(**spec) for name, spec in devices.items()}, **rest)


def _take(configure: dict[str, Any] | None = None, **rest: Any) -> Take:
    return Take(configure=None if configure is None else _configure(**configure), **rest)


_REQUESTS: dict[str, Callable[..., Request]] = {
    "Put": Put,
    "Answer": Answer,
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
    "Examine": _examine,
    "Connect": Connect,
    "Listen": Listen,
    "Accept": Accept,
    "Unlisten": Unlisten,
}
_HEARD: dict[str, Callable[..., Heard]] = {
    each.__name__: each
    for each in (Said, Advanced, Noted, Saving, Saved, Opened, Switched, TakenAway, Question, Waiting)
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
