"""How much comes through, as the real iperf3 measures it, and the ways in which it does not."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.iperf3 import Iperf3Server, iperf3_server
from support.nobody import refusing_tcp
from support.plain_context import PlainContext
from support.processes import named

from runner.api import Cancelled, Duration, LabError, RecipeFault, TimedOut, Unreachable, Unsupported
from runner.modules.network.iperf3 import PORT, Direction, Wanted, flows_of
from runner.modules.network.net_throughput import NetThroughput, Throughput, summary
from runner.modules.network.tcp import Tcp
from runner.modules.network.unix import Unix

pytestmark = pytest.mark.peer("iperf3")
SECOND, HOUR = Duration("1s"), Duration("1h")


@pytest.fixture
def server() -> Iterator[Iperf3Server]:
    with iperf3_server() as it:  # one for each test: after a measurement it listens again only a moment later
        yield it


def measured(port: int, **arguments: object) -> Throughput:
    verb = NetThroughput(**{"host": "127.0.0.1", "port": port, "duration": SECOND, **arguments})
    return verb.run(PlainContext())


def test_a_device_says_where_the_server_is_and_what_was_sent_has_come_through(server: Iperf3Server) -> None:
    device = Tcp(host="127.0.0.1", port=server.port)
    found = NetThroughput(network=device, duration=SECOND, streams=3).run(PlainContext())

    assert found.upload is not None
    assert found.download is None
    assert found.bits_per_second == found.upload.bits_per_second > 0
    assert found.upload.elapsed > 0.9
    assert found.retransmits is not None
    assert (found.jitter, found.lost_percent, found.upload.packets) == (None, None, None)


def test_datagrams_of_the_server_have_jitter_and_losses_and_keep_to_their_rate(server: Iperf3Server) -> None:
    found = measured(server.port, direction="download", protocol="udp", bitrate=4e6)

    assert found.upload is None
    assert found.download is not None
    assert found.download.packets
    assert found.jitter is not None
    assert found.lost_percent is not None
    assert found.retransmits is None
    assert 0 < found.bits_per_second < 40e6


def test_both_directions_are_told_and_the_worse_one_counts(server: Iperf3Server) -> None:
    found = measured(server.port, direction="both", bitrate=8e6)

    assert found.upload is not None
    assert found.download is not None
    assert found.bits_per_second == min(found.upload.bits_per_second, found.download.bits_per_second) > 0


def test_who_runs_the_server_is_said_by_host_or_device() -> None:
    with pytest.raises(RecipeFault, match="cannot connect to unix:///run/a"):
        NetThroughput(network=Unix(path="/run/a")).run(PlainContext())
    with pytest.raises(RecipeFault, match="who runs the server"):
        NetThroughput().run(PlainContext())

    assert NetThroughput(host="a", network=Tcp(host="b", port=1))._server() == ("a", PORT)


def test_nobody_who_listens_is_unreachable() -> None:
    with (
        refusing_tcp() as port,
        pytest.raises(Unreachable, match=f"iperf3 at 127.0.0.1:{port}: unable to connect.*refused") as caught,
    ):
        measured(port)

    assert "iperf3 --server" in caught.value.hint


def test_a_server_that_ends_amid_it_is_told() -> None:
    with iperf3_server() as server:

        def end() -> None:
            server.measuring()
            server.process.kill()

        ending = threading.Thread(target=end)
        ending.start()
        with pytest.raises(LabError, match=f"iperf3 at 127.0.0.1:{server.port}: control socket has closed"):
            measured(server.port, duration=HOUR, within=2 * HOUR, bitrate=1e6)
        ending.join(30)


def test_one_that_says_nothing_is_given_up_and_nothing_of_it_is_left() -> None:
    before = set(named(os.getpid(), "iperf3"))
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(TimedOut, match="not ended within") as caught,
    ):
        measured(silent.getsockname()[1], within=Duration("1300ms"))

    assert caught.value.evidence["limit"] == "within"
    assert set(named(os.getpid(), "iperf3")) == before


def test_a_busy_server_is_told_and_a_step_that_is_stopped_leaves_it_free() -> None:
    context, ended = PlainContext(), []
    before = set(named(os.getpid(), "iperf3"))

    def measure(port: int) -> None:
        try:
            NetThroughput(host="127.0.0.1", port=port, duration=HOUR, within=2 * HOUR).run(context)
        except Cancelled as error:
            ended.append(error)

    with iperf3_server() as server:
        first = threading.Thread(target=measure, args=(server.port,))
        first.start()
        server.measuring()
        with pytest.raises(LabError, match="the server is busy running a test. try again later") as caught:
            measured(server.port)
        context.cancel()
        first.join(60)

    assert "'retries'" in caught.value.hint
    assert len(ended) == 1
    assert set(named(os.getpid(), "iperf3")) == before


def test_a_program_that_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="cannot start 'iperf3': No such file") as caught:
        measured(1)

    assert caught.value.hint == "apt install iperf3 on the bench's host"


def counted(bits: float, lost: float) -> dict[str, float]:
    return {
        "bits_per_second": bits,
        "bytes": bits / 8,
        "seconds": 1.0,
        "jitter_ms": lost,
        "lost_percent": lost,
    }


def test_each_direction_has_its_own_figures_and_the_worse_ones_are_in_front() -> None:
    ways = {"received": (8e6, 1.0), "received_bidir_reverse": (6e6, 0.5)}
    end = {"sum_sent": {"packets": 7}, "sum_sent_bidir_reverse": {"packets": 9}}
    printed = json.dumps({"end": end | {f"sum_{name}": counted(*each) for name, each in ways.items()}})
    found = summary(flows_of(printed, "iperf3 at a:1", "both"))

    assert found.upload is not None
    assert found.download is not None
    assert (found.upload.bits_per_second, found.upload.packets) == (8e6, 7)
    assert (found.download.bits_per_second, found.download.packets) == (6e6, 9)
    assert (found.bits_per_second, found.lost_percent, found.jitter) == (6e6, 1.0, 0.001)


@pytest.mark.parametrize(("direction", "option"), [("download", "--reverse"), ("both", "--bidir")])
def test_who_sends_is_said_to_iperf3(direction: Direction, option: str) -> None:
    wanted = Wanted(
        host="::1",
        port=1,
        duration=SECOND,
        direction=direction,
        protocol="udp",
        bitrate=None,
        streams=1,
        connect_within=0.3,
    )

    assert option in wanted.arguments
    assert option not in replace(wanted, direction="upload").arguments


@pytest.mark.parametrize(
    "printed", ["", "iperf3: no", "[]", '{"end": {}}', '{"end": {"sum_sent": 1, "sum_received": {}}}']
)
def test_what_is_no_measurement_is_told(printed: str) -> None:
    with pytest.raises(LabError, match="iperf3 at a:1: iperf3 prints no measurement"):
        flows_of(printed, "iperf3 at a:1", "upload")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"duration": Duration("1500ms")}, "sends for whole seconds"),
        ({"duration": Duration("0s")}, "sends for whole seconds"),
        ({"duration": Duration("60s"), "within": Duration("60s")}, "does not end within"),
    ],
)
def test_times_that_cannot_be_are_refused_before_the_run(given: dict[str, object], wrong: str) -> None:
    assert [wrong in each.message for each in NetThroughput.misfits(given)] == [True]
    assert not list(NetThroughput.misfits({"duration": Duration("60s"), "within": Duration("61s")}))
