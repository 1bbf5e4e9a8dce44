"""Benches that nobody may take until somebody has looked at them: a notice in a folder of their host.

The folder outlives a reboot of the host, as the fault of the bench does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.agent.calls import Inspect, Lift, Quarantine, Take
from runner.agent.state_files import StateFiles
from runner.api.verdicts import LabError

StateRequest = Quarantine | Lift | Inspect


@dataclass(frozen=True)
class Notice:
    """Why a bench may not be taken, who says so, and since when. `run`: empty when a person said so."""

    bench: str
    reason: str
    who: str
    since: str
    run: str = ""

    def __str__(self) -> str:
        """Write it for people."""
        of_run = f", run {self.run}" if self.run else ""
        return f"quarantined since {self.since} by {self.who}{of_run}: {self.reason}"


class Quarantines:
    """The notices of this host. All folders are read, and none is made for that."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Look in these folders."""
        self._files = StateFiles(folders, "quarantine")

    def answer(self, request: StateRequest) -> dict[str, object]:
        """Do what was asked; the answer has the notice that is there now, or was there, or None."""
        match request:
            case Quarantine():
                notice: Notice | None = self.put(request)
            case Lift():
                notice = self.lift(request.bench)
            case Inspect():
                notice = self.of(request.bench)
        return {"notice": asdict(notice) if notice else None}

    def refuse(self, take: Take) -> None:
        """Raise LabError when the bench is in quarantine."""
        notice = self.of(take.bench)
        if notice is not None:
            raise LabError(
                f"bench {take.bench} is {notice}",
                evidence={"quarantine": notice.reason, "by": notice.who, "since": notice.since},
                hint=f"when it is fit again: runner quarantine {take.bench} --clear",
            )

    def of(self, bench: str) -> Notice | None:
        """Return the notice of a bench; None when it may be taken."""
        found = self._files.read(bench)
        return None if found is None else _read(bench, *found)

    def put(self, order: Quarantine) -> Notice:
        """Put a bench into quarantine; one that is in it already keeps its notice."""
        known = self.of(order.bench)
        if known is not None:
            return known
        now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        notice = Notice(bench=order.bench, reason=order.reason, who=order.who, since=now, run=order.run)
        self._files.write(order.bench, json.dumps(asdict(notice)).encode())
        return notice

    def lift(self, bench: str) -> Notice | None:
        """Let a bench be taken again; return the notice that was there."""
        notice = self.of(bench)
        self._files.clear(bench)
        return notice


def _read(bench: str, written: bytes, path: Path) -> Notice:
    """Read a notice; one that is damaged keeps the bench in quarantine all the same."""
    try:
        return Notice(**json.loads(written))
    except (ValueError, TypeError):
        return Notice(
            bench=bench, reason=f"its notice cannot be read: {path}", who="unknown", since="unknown"
        )
