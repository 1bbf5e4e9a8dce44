"""Who holds a bench, or waits for it, as it is written into files for the others to read."""

from __future__ import annotations

import json
import os
import pwd
import time
from dataclasses import asdict, dataclass

LONGEST = 1024
"""Bytes that a record takes at most."""
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Holder:
    """Who holds a bench or waits for it.

    `holder`: what for, as the id of a run. `who`: whose that is, user@host. `pid`: of the agent, on
    the bench's host. `until`: when it ends at the latest, empty when nobody has limited it.
    """

    holder: str
    who: str
    pid: int
    since: str
    until: str = ""

    def __str__(self) -> str:
        """Write it for people."""
        until = f" until {self.until} at the latest" if self.until else ""
        return f"{self.holder} ({self.who}, process {self.pid}) since {self.since}{until}"


def ourselves(holder: str, who: str, hold: float | None) -> Holder:
    """Describe this process, which holds or wants a bench from now on, for `hold` seconds at most."""
    now = time.time()
    return Holder(
        holder=holder[:_LONGEST_NAME],
        who=(who or f"{_user()}@{os.uname().nodename}")[:_LONGEST_NAME],
        pid=os.getpid(),
        since=at(now),
        until="" if hold is None else at(now + hold),
    )


def at(seconds: float) -> str:
    """Write a point in time, seconds since 1970, for people in any place.

    >>> at(0)
    '1970-01-01 00:00:00 UTC'
    """
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def write(descriptor: int, holder: Holder, place: int = 0) -> None:
    """Write a record at a place of a file."""
    record = json.dumps(asdict(holder), ensure_ascii=False).encode("utf-8", "replace")
    os.pwrite(descriptor, record.ljust(LONGEST)[:LONGEST], place)


def read(descriptor: int, place: int = 0) -> Holder | None:
    """Read a record; None in the moment before it is written, or when it cannot be read."""
    try:
        return Holder(**json.loads(os.pread(descriptor, LONGEST, place).rstrip(b"\0")))
    except (ValueError, TypeError):
        return None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
