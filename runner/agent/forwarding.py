"""What controller and agent say to each other about forwards, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Forward:
    """Carry every connection made to `listen` on to `to`; the controller's half of it answers this.

    `to`: an address, or a device of the bench that is at one.
    It listens on this machine and connects from the bench's host, `reverse` the other way round.
    The answer has the `address` that it listens at, and a `number` to give it up by.
    """

    bench: str
    to: str
    listen: str = ""
    reverse: bool = False


@dataclass(frozen=True)
class Unforward:
    """Give up a forward, with all connections that it carries; `at`: those that listen at, or lead to, it."""

    bench: str
    number: int = 0
    at: str = ""


@dataclass(frozen=True)
class Connect:
    """Connect to an address from the host; bytes are then carried on this call's stream.

    `ask`: only whether that is allowed; `to` may be a device then, and the answer has the address.
    """

    bench: str
    to: str
    ask: bool = False


@dataclass(frozen=True)
class Listen:
    """Listen at an address of the host; the answer has the `address` and a `number`."""

    bench: str
    at: str


@dataclass(frozen=True)
class Accept:
    """Wait for the next connection to a listener; its bytes are then carried on this call's stream."""

    bench: str
    number: int


@dataclass(frozen=True)
class Unlisten:
    """Close a listener; who waits for its next connection is told."""

    bench: str
    number: int


Carry = Connect | Accept
"""What a stream of bytes begins with."""
