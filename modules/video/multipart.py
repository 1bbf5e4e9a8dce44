"""Pictures in one endless answer (multipart/x-mixed-replace; RFC 2046, section 5.1).

Cameras take liberties with it: the boundary may be said with or without its dashes, lines may end
without a carriage return, and parts may come with no length. Python's own parser wants a whole message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d+)[ \t]*\r?$")
_LONGEST_HEAD = 16 * 1024
_LARGEST = 16 * 2**20


def boundary_of(content_type: str) -> str:
    """Return what stands between the parts, without dashes in front; raise ValueError for other answers.

    >>> boundary_of('multipart/x-mixed-replace; boundary="--frame"')
    'frame'
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_boundary("")
    if message.get_content_maintype() != "multipart" or not (boundary or "").lstrip("-"):
        raise ValueError(f"it is {content_type!r}, no stream of pictures")
    return str(boundary).lstrip("-")


@dataclass(frozen=True)
class Part:
    """The content of one part, and when it began to come."""

    content: bytes
    began: float


class Parts:
    """Takes what comes, split anywhere, and gives the parts that are whole."""

    def __init__(self, boundary: str) -> None:
        """Wait for the first boundary."""
        self._mark = b"--" + boundary.encode("latin-1")
        self._buffer = bytearray()
        self._searched = 0
        self._began: float | None = None
        self.ended = False
        """True once the sender has said that nothing more will come."""

    def feed(self, data: bytes, now: float) -> list[Part]:
        """Return the parts that are whole with this; `now` is a time before all of it came.

        Raise ValueError when there is no part where one should be.
        """
        self._buffer += data
        found: list[Part] = []
        while not self.ended and (self._began is not None or self._begin(now)):
            content = self._content()
            if content is None:
                break
            found.append(Part(content, now if self._began is None else self._began))
            self._began = None
        return found

    def _begin(self, now: float) -> bool:
        """Go behind the next boundary; False when it has not come yet."""
        at = self._find(self._mark)
        if at < 0:
            self._refuse(len(self._buffer) > _LARGEST, "no boundary came")
            return False
        if len(self._buffer) < at + len(self._mark) + 2:
            return False
        del self._buffer[: at + len(self._mark)]
        self._searched, self._began = 0, now
        self.ended = self._buffer.startswith(b"--")
        return not self.ended

    def _content(self) -> bytes | None:
        head = _HEAD.search(self._buffer, 0, _LONGEST_HEAD)
        if head is None:
            self._refuse(len(self._buffer) > _LONGEST_HEAD, "the head of a part does not end")
            return None
        length = _LENGTH.search(self._buffer, 0, head.end())
        if length is None:
            return self._up_to_next(head.end())
        end = head.end() + int(length[1])
        self._refuse(end > _LARGEST, f"a part has {int(length[1])} bytes")
        if len(self._buffer) < end:
            return None
        return self._taken(head.end(), end)

    def _up_to_next(self, start: int) -> bytes | None:
        self._searched = max(self._searched, start)
        at = self._find(self._mark)
        if at < 0:
            self._refuse(len(self._buffer) > _LARGEST, f"a part has more than {_LARGEST} bytes")
            return None
        return self._taken(start, at).rstrip(b"-\r\n")

    def _find(self, what: bytes) -> int:
        at = self._buffer.find(what, self._searched)
        if at < 0:
            self._searched = max(self._searched, len(self._buffer) - len(what))
        return at

    def _taken(self, start: int, end: int) -> bytes:
        content = bytes(self._buffer[start:end])
        del self._buffer[:end]
        self._searched = 0
        return content

    def _refuse(self, wrong: bool, why: str) -> None:
        if wrong:
            raise ValueError(why)
