"""Measure how much comes through to somebody on the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from runner.api import (
    Context,
    Duration,
    LabError,
    Misfit,
    Module,
    Network,
    RecipeFault,
    Result,
    TimedOut,
    Unreachable,
    Unsupported,
    arg,
    device,
)
from runner.api.program import run, tail
from runner.modules.network.iperf3 import PORT, PROGRAM, Direction, Flow, Wanted, flows_of

_Figure = TypeVar("_Figure", int, float, Duration)


class Throughput(Result):
    """What came through; the figures in front are those of the worse direction."""

    bits_per_second: float
    retransmits: int | None
    """Segments that TCP sent again; nothing for UDP, or where the sender's system does not count them."""
    jitter: Duration | None
    """How much the time between two packets of UDP varies; nothing for TCP."""
    lost_percent: float | None
    """Packets of UDP that did not arrive; nothing for TCP."""
    upload: Flow | None
    """What the bench's host has sent; nothing when that was not measured."""
    download: Flow | None
    """What the bench's host has received; nothing when that was not measured."""


class NetThroughput(Module):
    """Measure how much comes through between the bench's host and whoever runs iperf3's server.

    The board runs ``iperf3 --server``; the host needs iperf3, too (`apt install iperf3`). Where it is, a
    device of the network says, or `host` and `port`: those of `port_forward` do, for TCP. Limits are
    said with `measure`. Nobody who listens, a busy server and one that ends amid it are errors
    of the lab. As it sends whatever it is told to whomever it is told, a guarded host allows it only with
    `commands = yes`.

    Example::

        - net_throughput: {host: 192.168.7.2, duration: 10s}
          measure:
            upload: {value: result.bits_per_second / 1e6, unit: Mbit/s, min: 900}
            retransmits: {value: result.retransmits, max: 100}
        - net_throughput: {device: perf, direction: download, protocol: udp, bitrate: 50e6}
          measure:
            lost: {value: result.lost_percent, unit: "%", max: 0.1}
            jitter: {value: result.jitter, unit: s, max: 0.002}
    """

    limited_by = "within"
    unconfined = True

    host: str = arg(
        default="", primary=True, help="its name or address, as the bench's host knows it, not a device's"
    )
    port: int | None = arg(
        default=None, help="its port; left out: the device's, or 5201", minimum=1, maximum=65535
    )
    duration: Duration = arg(default=Duration("10s"), help="how long to send, in whole seconds")
    direction: Direction = arg(
        default="upload", help="upload: the host sends; download: it receives; both: at once"
    )
    protocol: Literal["tcp", "udp"] = arg(default="tcp", help="what carries it")
    bitrate: float | None = arg(
        default=None,
        help="bits a second that each stream sends; left out: as many as go, of UDP 1 million",
        minimum=1,
    )
    streams: int = arg(default=1, help="how many streams at once", minimum=1, maximum=128)
    within: Duration = arg(default=Duration("60s"), help="how long it may take in all")
    network: Network | None = device(optional=True, help="who runs the server")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse times that iperf3 does not know, and that do not fit into each other."""
        duration, within = given.get("duration"), given.get("within")
        if duration is None:
            return
        if duration < 1 or float(duration) % 1:
            yield Misfit(
                "duration", f"{PROGRAM} sends for whole seconds, not for {duration}", "write 1s, 10s"
            )
        elif within is not None and within <= duration:
            yield Misfit(
                "within",
                f"sending for {duration} does not end within {within}",
                f"write within: {Duration(2 * duration)}",
            )

    def run(self, context: Context) -> Throughput:
        """Have iperf3 measure it."""
        host, port = self._server()
        where = f"{PROGRAM} at [{host}]:{port}" if ":" in host else f"{PROGRAM} at {host}:{port}"
        wanted = Wanted(
            host=host,
            port=port,
            duration=self.duration,
            direction=self.direction,
            protocol=self.protocol,
            bitrate=self.bitrate,
            streams=self.streams,
            connect_within=self.within - self.duration,
        )
        flows = flows_of(self._printed(wanted, where, context), where, self.direction)
        for name, flow in flows.items():
            context.log(f"{name}: {flow.bits_per_second / 1e6:.2f} Mbit/s")
        return summary(flows)

    def _server(self) -> tuple[str, int]:
        if self.host:
            return self.host, self.port or PORT
        if self.network is None:
            raise RecipeFault("who runs the server?", hint="give it 'host', or 'device' of the network")
        address = self.network.address()
        if not address.host:
            raise RecipeFault(f"{PROGRAM} cannot connect to {address.url}", hint="it speaks TCP and UDP")
        return address.host, self.port or address.port or PORT

    def _printed(self, wanted: Wanted, where: str, context: Context) -> str:
        try:
            ended, in_time = run(wanted.arguments, context, timeout=self.within, quiet=True)
        except Unreachable as error:
            raise Unsupported(
                f"the host cannot measure: {error.message}", hint=f"apt install {PROGRAM} on the bench's host"
            ) from error
        if not in_time:
            raise TimedOut(
                f"{where}: not ended within {self.within}",
                evidence={"limit": "within", "stderr": tail(ended.stderr)},
                hint="does the server still answer? A slow one gets more time by 'within'",
            )
        if not ended.stdout:
            raise LabError(
                f"{where}: {tail(ended.stderr) or 'it said nothing'}",
                evidence={"status": ended.status, "stderr": tail(ended.stderr)},
            )
        return ended.stdout


def summary(flows: Mapping[str, Flow]) -> Throughput:
    """Put the figures of the worse direction in front."""
    return Throughput(
        bits_per_second=min(each.bits_per_second for each in flows.values()),
        retransmits=_most(each.retransmits for each in flows.values()),
        jitter=_most(each.jitter for each in flows.values()),
        lost_percent=_most(each.lost_percent for each in flows.values()),
        upload=flows.get("upload"),
        download=flows.get("download"),
    )


def _most(figures: Iterable[_Figure | None]) -> _Figure | None:
    """Return the largest of those that are known."""
    return max((each for each in figures if each is not None), default=None)
