"""What iperf3 is told, and what it answers as JSON (iperf3 3.9 to 3.16; iperf3(1), option --json)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runner.api import Duration, LabError, Result, Unreachable

PROGRAM = "iperf3"
PORT = 5201
"""Where its server listens unless it is told otherwise."""
Direction = Literal["upload", "download", "both"]
_REVERSED = "_bidir_reverse"


class Flow(Result):
    """What came through in one direction, as its receiver counted it."""

    bits_per_second: float
    bytes: int
    elapsed: Duration
    retransmits: int | None
    """Segments that TCP sent again; nothing for UDP, or where the sender's system does not count them."""
    jitter: Duration | None
    """How much the time between two packets of UDP varies (RFC 1889, section 6.3.1); nothing for TCP."""
    packets: int | None
    """Sent, for UDP."""
    lost_packets: int | None
    lost_percent: float | None


@dataclass(frozen=True)
class Wanted:
    """A measurement."""

    host: str
    port: int
    duration: Duration
    direction: Direction
    protocol: Literal["tcp", "udp"]
    bitrate: float | None
    streams: int
    connect_within: float

    @property
    def arguments(self) -> list[str]:
        """The command line; only one report, at the end."""
        connect = max(1, round(self.connect_within * 1000))
        given = [PROGRAM, "--json", "--interval", "0", "--client", self.host, "--port", str(self.port)]
        given += ["--connect-timeout", str(connect), "--parallel", str(self.streams)]
        given += ["--time", str(math.ceil(self.duration))]
        given += {"upload": [], "download": ["--reverse"], "both": ["--bidir"]}[self.direction]
        given += ["--udp"] if self.protocol == "udp" else []
        return given + ([] if self.bitrate is None else ["--bitrate", str(round(self.bitrate))])


def flows_of(printed: str, where: str, direction: Direction) -> dict[str, Flow]:
    """Return what was measured in each direction; raise LabError with what iperf3 says is wrong."""
    try:
        answer = json.loads(printed)
        if error := answer.get("error"):
            raise _refused(where, error)
        end = answer["end"]
        if direction == "both":
            return {"upload": _flow(end, ""), "download": _flow(end, _REVERSED)}
        return {direction: _flow(end, "")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(
            f"{where}: {PROGRAM} prints no measurement: {type(error).__name__}: {error}",
            evidence={"stdout": printed[-2000:]},
        ) from error


def _flow(end: Mapping[str, Any], suffix: str) -> Flow:
    sent, received = end[f"sum_sent{suffix}"], end[f"sum_received{suffix}"]
    jitter = received.get("jitter_ms")
    return Flow(
        bits_per_second=float(received["bits_per_second"]),
        bytes=int(received["bytes"]),
        elapsed=Duration(received["seconds"]),
        retransmits=sent.get("retransmits"),
        jitter=None if jitter is None else Duration(jitter / 1000),
        packets=sent.get("packets"),
        lost_packets=received.get("lost_packets"),
        lost_percent=received.get("lost_percent"),
    )


def _refused(where: str, error: str) -> LabError:
    said = error.strip().removeprefix("error - ")
    if "unable to connect" in said:
        hint = f"does {PROGRAM} --server run there? 'port' says at which port"
        return Unreachable(f"{where}: {said}", evidence={"error": error}, hint=hint)
    if "busy" in said:
        hint = "its server measures for one client at a time: try 'retries' with 'delay'"
        return LabError(f"{where}: {said}", evidence={"error": error}, hint=hint)
    return LabError(f"{where}: {said}", evidence={"error": error})
