"""Devices of the network and their verbs, with real sockets."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.lab_vm import modprobe
from support.nobody import refusing_tcp, refusing_udp
from support.plain_context import PlainContext

from runner.api import (
    BytePattern,
    ByteString,
    Cancelled,
    Duration,
    Failed,
    LabError,
    Network,
    RecipeFault,
    TimedOut,
    Unreachable,
    Unsupported,
)
from runner.modules.network.echo import Echo
from runner.modules.network.net_address import NetAddress
from runner.modules.network.net_expect import NetExpect, NetHeard
from runner.modules.network.net_send import NetSend
from runner.modules.network.net_wait import NetWait
from runner.modules.network.tcp import Tcp
from runner.modules.network.udp import Udp
from runner.modules.network.unix import Unix
from runner.modules.network.vsock import Vsock
from runner.modules.network.websocket import Websocket

SOON = Duration("30s")
Handler = type[socketserver.BaseRequestHandler]


class Says(socketserver.BaseRequestHandler):
    """Greets, then says again what it hears."""

    def handle(self) -> None:
        self.request.sendall(b"READY 1.2\r\n")
        while data := self.request.recv(65536):
            self.request.sendall(data)


class SaysDatagrams(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, port = self.request
        port.sendto(b"<" + data + b">", self.client_address)


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ThreadingTcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class ThreadingUnix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.fixture
def tcp() -> Iterator[Tcp]:
    with serving(ThreadingTcp(("127.0.0.1", 0), Says)) as server:
        yield from opened(Tcp(host="127.0.0.1", port=server.server_address[1]))


def opened(driver: Any) -> Iterator[Any]:
    driver.open()
    try:
        yield driver
    finally:
        driver.close()


def _tcp(_folder: Path) -> Iterator[Network]:
    with serving(ThreadingTcp(("127.0.0.1", 0), Says)) as server:
        yield from opened(Tcp(host="127.0.0.1", port=server.server_address[1]))


def _udp(_folder: Path) -> Iterator[Network]:
    with serving(socketserver.UDPServer(("127.0.0.1", 0), SaysDatagrams)) as server:
        yield from opened(Udp(host="127.0.0.1", port=server.server_address[1]))


def _unix(folder: Path) -> Iterator[Network]:
    with serving(ThreadingUnix(str(folder / "it.sock"), Says)):
        yield from opened(Unix(path=str(folder / "it.sock")))


def _echo(_folder: Path) -> Iterator[Network]:
    yield from opened(Echo())


def _websocket(_folder: Path) -> Iterator[Network]:
    from websockets.sync.server import serve

    def again(connection: Any) -> None:
        for message in connection:
            connection.send(message)

    with serve(again, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield from opened(Websocket(url=f"ws://127.0.0.1:{server.socket.getsockname()[1]}/it"))
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(params=[_tcp, _udp, _unix, _echo, _websocket], ids=lambda each: each.__name__.strip("_"))
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Network]:
    yield from request.param(tmp_path)


def send(network: Network, text: str | None = None, **arguments: Any) -> int:
    return NetSend(network=network, text=text, **arguments).run(PlainContext()).sent


def expect(
    network: Network, pattern: str | None = None, within: Duration = SOON, **arguments: Any
) -> NetHeard:
    return NetExpect(network=network, pattern=pattern, within=within, **arguments).run(PlainContext())


# --- the same for every kind ---------------------------------------------------------------------


def test_what_is_sent_comes_back_and_is_matched(network: Network) -> None:
    assert send(network, "volts 4.97\n") == 11
    heard = expect(network, r"volts (?P<volts>[\d.]+)")

    assert heard.match == "volts 4.97"
    assert heard.groups == {"volts": "4.97"}


def test_bytes_are_sent_and_matched_as_they_are(network: Network) -> None:
    send(network, data=ByteString("00 0A FF 2E"))

    assert expect(network, data=BytePattern("0A ?? 2E")).data.endswith(b"\x00\x0a\xff\x2e")


def test_more_than_the_kernel_takes_at_once_is_sent_whole(tcp: Tcp) -> None:
    assert send(tcp, "x" * 900_000 + "end\n") == 900_004
    assert len(expect(tcp, "end\n", since="start").data) == 900_004 + len("READY 1.2\r\n")


def test_an_answer_to_an_earlier_request_is_not_taken_for_that_of_the_last(network: Network) -> None:
    send(network, "first\n")
    expect(network, "first")
    send(network, "second\n")
    expect(network, "second")
    with pytest.raises(TimedOut, match=r"no 'first' within 50ms, but \d+ bytes of something else"):
        expect(network, "first", Duration("50ms"))
    assert expect(network, "first", since="start").elapsed == 0


def test_an_answer_that_came_before_the_step_is_found(network: Network) -> None:
    send(network, "early\n")
    expect(network, "early")
    heard = expect(network, "early")

    assert heard.elapsed == 0


def test_a_cancel_ends_the_wait(network: Network) -> None:
    send(network, "x")
    context = PlainContext()
    context.cancel()
    with pytest.raises(Cancelled):
        NetExpect(network=network, pattern="never", within=SOON).run(context)


def test_after_closing_the_next_step_connects_anew(network: Network) -> None:
    send(network, "one\n", close=True)
    send(network, "two\n")

    assert "one" not in expect(network, "two", since="start").output


def test_the_address_is_told(network: Network) -> None:
    address = NetAddress(network=network).run(PlainContext())

    assert address.url.split(":")[0] in ("tcp", "udp", "unix", "echo", "ws")
    assert bool(address.port) == (address.url.split(":")[0] in ("tcp", "udp", "ws"))


# --- what goes wrong -----------------------------------------------------------------------------


def test_what_nobody_listens_at_is_unreachable_with_its_address(tmp_path: Path) -> None:
    with refusing_tcp() as port:
        for driver, named in (
            (Tcp(host="127.0.0.1", port=port), f"tcp://127.0.0.1:{port}: Connection refused"),
            (Unix(path=f"{tmp_path}/no.sock"), f"unix://{tmp_path}/no.sock: No such file or directory"),
            (Websocket(url=f"ws://127.0.0.1:{port}"), f"ws://127.0.0.1:{port}: "),
            (Tcp(host="no-such-host.invalid", port=1), "tcp://no-such-host.invalid:1: "),
        ):
            with pytest.raises(Unreachable) as caught:
                send(driver, "x")
            assert caught.value.message.startswith(named)


class ThreadingVsock(ThreadingTcp):
    """Listens for every machine, at a free port."""

    address_family = socket.AF_VSOCK

    def server_bind(self) -> None:
        self.socket.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
        self.server_address = self.socket.getsockname()


@pytest.mark.labvm
def test_a_service_behind_vsock_greets_answers_and_is_gone_when_it_ends() -> None:
    modprobe("vsock_loopback")
    with serving(ThreadingVsock(("", 0), Says)) as server:
        port = server.server_address[1]
        for driver in opened(Vsock(cid=1, port=port)):
            assert wait(driver, banner="READY [0-9.]+").banner == "READY 1.2"
            send(driver, "ask")
            assert expect(driver, "ask").output.endswith("ask")
    with pytest.raises(Unreachable, match=rf"^vsock://1:{port}: "):
        Vsock(cid=1, port=port).connect(5)


def test_a_machine_without_vsock_is_unreachable_with_its_address() -> None:
    with pytest.raises(Unreachable, match=r"^vsock://4242:1024: "):
        Vsock(cid=4242, port=1024).connect(0.2)


def test_a_connection_that_ends_before_the_answer_is_told_with_what_came(tcp: Tcp) -> None:
    class Leaves(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(10)
            self.request.sendall(b"half an")

    with serving(ThreadingTcp(("127.0.0.1", 0), Leaves)) as server:
        driver = Tcp(host="127.0.0.1", port=server.server_address[1])
        send(driver, "ask")
        with pytest.raises(
            Failed, match="no 'answer' before the end: it was closed by the other end"
        ) as caught:
            expect(driver, "answer")
        assert caught.value.evidence["received"] == "half an"
        driver.close()


def test_an_answer_before_the_end_of_the_connection_is_found_after_it_and_sending_connects_anew() -> None:
    class Answers(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"you said " + self.request.recv(10))

    with serving(ThreadingTcp(("127.0.0.1", 0), Answers)) as server:
        driver = Tcp(host="127.0.0.1", port=server.server_address[1])
        send(driver, "one")
        talk = driver.conversation
        assert talk is not None
        wait_until(lambda: talk.ended is not None, "the server closes")
        assert expect(driver, "you said one").elapsed == 0
        send(driver, "two")
        assert expect(driver, "you said two").output == "you said two"
        driver.close()


def test_a_datagram_that_nobody_takes_is_told() -> None:
    with refusing_udp() as port:
        driver = Udp(host="127.0.0.1", port=port)
        send(driver, "x")
        with pytest.raises(Failed, match="the connection was lost: Connection refused"):
            expect(driver, "answer")
        driver.close()


def test_too_much_that_nobody_looked_at_is_an_error_and_not_silently_forgotten() -> None:
    driver = Echo()
    send(driver, "first\n")
    expect(driver, "first")
    assert driver.conversation is not None
    driver.conversation._link.write(b"x" * (2**20 + 10))
    with pytest.raises(LabError, match=r"16 bytes of what was received are no longer kept"):
        expect(driver, "y", since="start")
    driver.close()


@pytest.mark.parametrize("given", [{}, {"pattern": "a", "exact": "a"}, {"pattern": "("}])
def test_what_cannot_be_looked_for_is_a_fault_of_the_recipe(given: dict[str, str]) -> None:
    driver = Echo()
    with pytest.raises(RecipeFault):
        NetExpect(network=driver, within=SOON, **given).run(PlainContext())
    driver.close()


# --- waiting -------------------------------------------------------------------------------------


def wait(
    network: Network,
    state: Any = "open",
    banner: str = "",
    within: Duration = SOON,
    context: PlainContext | None = None,
) -> Any:
    module = NetWait(network=network, state=state, banner=banner, within=within)
    return module.run(context or PlainContext())


def test_a_port_that_opens_later_is_waited_for() -> None:
    server = ThreadingTcp(("127.0.0.1", 0), Says, bind_and_activate=False)
    server.server_bind()
    driver = Tcp(host="127.0.0.1", port=server.server_address[1])
    started, done = threading.Event(), threading.Event()

    def open_later() -> None:
        started.wait(30)
        server.server_activate()
        with serving(server):
            done.wait(60)

    thread = threading.Thread(target=open_later)
    thread.start()

    class Trying(PlainContext):
        def sleep(self, seconds: float) -> None:
            started.set()
            time.sleep(seconds)

    waited = NetWait(network=driver, within=SOON, banner=r"READY ([\d.]+)").run(Trying())
    done.set()
    thread.join()

    assert waited.attempts > 1
    assert waited.banner == "READY 1.2"


def test_a_banner_that_is_another_is_shown() -> None:
    greeted = threading.Event()

    class Greets(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"READY 1.2\r\n")
            greeted.set()
            self.request.recv(100)

    class ListensOnceGreeted(PlainContext):
        def check_cancelled(self) -> None:
            greeted.wait(60)
            super().check_cancelled()

    with serving(ThreadingTcp(("127.0.0.1", 0), Greets)) as server:
        driver = Tcp(host="127.0.0.1", port=server.server_address[1])
        with pytest.raises(TimedOut, match=r"is not open and say 'SSH-2' within 300ms: it says 'READY 1.2"):
            wait(driver, banner="SSH-2", within=Duration("300ms"), context=ListensOnceGreeted())


def test_closed_is_waited_for_and_an_open_port_is_not_closed(tcp: Tcp) -> None:
    with pytest.raises(TimedOut, match="somebody still accepts connections"):
        wait(tcp, "closed", within=Duration("100ms"))
    with refusing_tcp() as port:
        assert wait(Tcp(host="127.0.0.1", port=port), "closed").attempts == 1


def test_drained_counts_the_connections_of_this_host(tcp: Tcp) -> None:
    assert wait(tcp, "drained").attempts == 1
    with socket.create_connection((tcp.host, tcp.port)) as connection:
        connection.recv(100)  # so that it ends in TIME_WAIT, and is not reset
        with pytest.raises(TimedOut, match="1 of this host's connections to it are left"):
            wait(tcp, "drained", within=Duration("100ms"))
    assert wait(tcp, "drained")
    with pytest.raises(Unsupported):
        wait(Echo(), "drained")
