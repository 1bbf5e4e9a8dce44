"""Ports of 127.0.0.1 at which nobody is, and nobody else can come to be while a test needs that."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refusing_tcp() -> Iterator[int]:
    """Give a port that refuses connections: it is taken, and nobody listens at it; who names it may."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def refusing_udp() -> Iterator[int]:
    """Give a port that refuses datagrams: who has it takes them from one other port only (udp(7))."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for each in (taken, other):
            each.bind(("127.0.0.1", 0))
        taken.connect(other.getsockname())
        yield taken.getsockname()[1]
