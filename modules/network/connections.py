"""The connections of this host, as the kernel lists them (proc(5), /proc/net/tcp)."""

from __future__ import annotations

import socket
from pathlib import Path

from runner.api import LabError, NetworkAddress, Unsupported

_GONE = frozenset({"06", "07", "0A"})
"""TIME_WAIT, CLOSE and LISTEN (include/net/tcp_states.h)."""


def connections_to(address: NetworkAddress) -> int:
    """Return how many TCP connections of this host lead to an address; raise LabError when it is unknown."""
    if not address.url.startswith("tcp:") or address.port is None:
        raise Unsupported(f"{address.url} is no TCP port, so its connections cannot be counted")
    try:
        there = {
            each[4][0] for each in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        }
    except OSError as error:
        raise LabError(f"{address.url}: {error.strerror}") from error
    return sum(
        remote in there and port == address.port
        for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
        for remote, port in _remote_ends(Path("/proc/net") / name, family)
    )


def _remote_ends(table: Path, family: int) -> list[tuple[str, int]]:
    if not table.exists():
        return []
    rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    return [_end(row[2], family) for row in rows if row[3] not in _GONE]


def _end(text: str, family: int) -> tuple[str, int]:
    """Read an address: 32-bit words in the machine's order, then the port.

    >>> _end("0100007F:0050", socket.AF_INET)
    ('127.0.0.1', 80)
    """
    words, _, port = text.partition(":")
    packed = b"".join(int(words[at : at + 8], 16).to_bytes(4, "little") for at in range(0, len(words), 8))
    return socket.inet_ntop(family, packed), int(port, 16)
