"""Which options of TFTP a server grants (RFC 2347 to 2349, 7440)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

BLOCK_SIZE = 512
"""Of a transfer without options (RFC 1350)."""
SMALLEST, LARGEST = 8, 65464
"""RFC 2348: what ``blksize`` may be."""
_WINDOW_BYTES = 64 * 1024
"""What boards, and the kernel's default for a socket, take without an answer."""


class Limits(NamedTuple):
    """What a server grants at most, and how patient it is when nothing is asked."""

    block_size: int
    window: int
    timeout: float


class Agreed(NamedTuple):
    """How a transfer is done, and the options to acknowledge: none, when there is no OACK."""

    block_size: int
    window: int
    timeout: float
    answer: Mapping[str, str]


def agree(options: Mapping[str, str], limits: Limits, size: int | None) -> Agreed:
    """Judge each option by itself; one that is unknown or makes no sense is passed over (RFC 2347).

    `size` of the file answers ``tsize``; None when it is not known.

    >>> agree({"blksize": "1468", "tsize": "0"}, Limits(65464, 64, 2.0), 10)
    Agreed(block_size=1468, window=1, timeout=2.0, answer={'blksize': '1468', 'tsize': '10'})
    """
    block_size, window, timeout = BLOCK_SIZE, 1, limits.timeout
    answer: dict[str, str] = {}
    for name, text in options.items():
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if name == "blksize" and number >= SMALLEST:
            block_size = min(number, limits.block_size, LARGEST)
            answer[name] = str(block_size)
        elif name == "windowsize" and 1 <= number <= 65535:
            window = min(number, limits.window)
            answer[name] = ""  # the size of the blocks may come after it
        elif name == "timeout" and 1 <= number <= 255:
            timeout = float(number)
            answer[name] = text
        elif name == "tsize" and number >= 0 and size is not None:
            answer[name] = str(size)
    if "windowsize" in answer:
        window = min(window, max(1, _WINDOW_BYTES // block_size))
        answer["windowsize"] = str(window)
    return Agreed(block_size, window, timeout, answer)
