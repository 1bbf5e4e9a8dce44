"""Forwards: bytes carried within the connection to an agent, the same by every transport."""

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.ssh_lab import SshLab
from support.ssh_server import SshServer, ssh_server

from runner.agent.calls import Configure, Said
from runner.agent.forwarding import Forward, Unforward
from runner.api import LabError, RecipeFault
from runner.connect.agent import AgentLink
from runner.connect.process import LocalAgent
from runner.engine.cancel import Cancellation

LIMIT = 60.0
HOW = ["local", pytest.param("paramiko", marks=pytest.mark.peer("sshd"))]
HOW.append(pytest.param("openssh", marks=pytest.mark.peer("sshd")))


class Lab:
    """An agent, reached in one way or another, and what it says beside all calls."""

    def __init__(self, agent: AgentLink, said: list[Any]) -> None:
        self.agent = agent
        self.said = said
        self.ask(Configure(bench="b", devices={}))

    def ask(self, request: Any) -> Any:
        return self.agent.call(request, lambda _heard: None, cancel=Cancellation())

    def forward(self, to: str, **options: Any) -> str:
        return str(self.ask(Forward(bench="b", to=to, **options))["address"])

    def warnings(self) -> list[str]:
        return [each.text for each in self.said if isinstance(each, Said) and each.level == "warning"]


@contextlib.contextmanager
def reached(how: str, folder: Path) -> Iterator[Lab]:
    with contextlib.ExitStack() as stack:
        if how == "local":
            said: list[Any] = []
            agent: AgentLink = LocalAgent(sources={}, console=said.append, heard=said.append)
            lab = Lab(agent, said)
        else:
            server: SshServer = stack.enter_context(ssh_server(folder / "shelf1", AllowTcpForwarding="no"))
            there = SshLab(server, transport=how)
            lab = Lab(there.agent, there.said)
        try:
            yield lab
        finally:
            lab.agent.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with reached("local", tmp_path) as it:
        yield it


@contextlib.contextmanager
def server(serve: Callable[[socket.socket], None], path: Path | None = None) -> Iterator[str]:
    """Serve each connection on a thread; give the address."""
    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()

    def accept() -> None:
        with contextlib.suppress(OSError):  # the end of the test
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield str(path) if path else f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def digest(connection: socket.socket) -> None:
    """Read to the end of the other's, then answer: only a half-close that is passed on gets this far."""
    seen = hashlib.sha256()
    with connection, contextlib.suppress(ConnectionError):  # some tests break it off
        connection.sendall(b"hello ")
        while data := connection.recv(65536):
            seen.update(data)
        connection.sendall(seen.hexdigest().encode())


def connect(address: str) -> socket.socket:
    if address.startswith("/"):
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(LIMIT)
        made.connect(address)
        return made
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), LIMIT)


def read(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def digested(address: str, data: bytes) -> bytes:
    with connect(address) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return read(connection)


def expected(data: bytes) -> bytes:
    return b"hello " + hashlib.sha256(data).hexdigest().encode()


def fill(connection: socket.socket, block: bytes) -> int:
    """Send until nothing more is taken; return how much was."""
    connection.settimeout(2.0)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 2**30:
            sent += connection.send(block[sent % len(block) :])
    return sent


@pytest.mark.parametrize("how", HOW)
def test_bytes_and_half_closes_pass_by_every_transport_also_where_sshd_forbids_forwarding(
    how: str, tmp_path: Path
) -> None:
    data = os.urandom(3_000_001)
    with reached(how, tmp_path) as lab, server(digest) as there:
        assert digested(lab.forward(there), data) == expected(data)
        assert digested(lab.forward(there, reverse=True), data) == expected(data)
        assert lab.warnings() == []


def test_unix_sockets_do_on_either_end_and_the_files_go_with_the_forward(lab: Lab, tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 25)
    deep.mkdir()
    with server(digest, tmp_path / "there.sock") as there:
        here = tmp_path / "here.sock"
        opened = lab.ask(Forward(bench="b", to=there, listen=str(here)))
        back = lab.forward(there, listen=str(deep / "back.sock"), reverse=True)
        port = lab.forward(str(here))

        assert [digested(each, b"x") for each in (str(here), port)] == [expected(b"x")] * 2
        assert back == str(deep / "back.sock")
        assert here.stat().st_mode & 0o777 == 0o600
        lab.ask(Unforward(bench="b", number=opened["number"]))
        assert not here.exists()
    lab.agent.close()
    assert not (deep / "back.sock").exists()


def test_many_connections_of_several_forwards_are_carried_side_by_side(lab: Lab) -> None:
    with server(digest) as one, server(digest) as other:
        addresses = [lab.forward(one), lab.forward(other), lab.forward(one, reverse=True)]
        answers: dict[int, bytes] = {}

        def ask(number: int) -> None:
            answers[number] = digested(addresses[number % 3], bytes([number]) * 200_000)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)

    assert answers == {number: expected(bytes([number]) * 200_000) for number in range(30)}


def test_a_target_that_refuses_is_named_and_whoever_connected_sees_a_reset(lab: Lab) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        there = f"127.0.0.1:{nobody.getsockname()[1]}"
        for reverse in (False, True):
            address = lab.forward(there, reverse=reverse)
            with connect(address) as connection, pytest.raises(ConnectionResetError):
                connection.recv(1)
            wait_until(lambda at=address: any(at in each for each in lab.warnings()), "a warning", LIMIT)

    host = os.uname().nodename
    assert all(f"cannot connect to {there} on {host}: connection refused" in each for each in lab.warnings())
    assert len(lab.warnings()) == 2


def test_a_sender_that_nobody_reads_waits_and_everything_else_goes_on(lab: Lab) -> None:
    read_on = threading.Event()

    def slow(connection: socket.socket) -> None:
        read_on.wait(LIMIT)
        digest(connection)

    block = bytes(range(256)) * 256
    with server(slow) as there, server(digest) as quick, connect(lab.forward(there)) as connection:
        sent = fill(connection, block)
        assert digested(lab.forward(quick), b"meanwhile") == expected(b"meanwhile")
        connection.settimeout(LIMIT)
        read_on.set()
        connection.shutdown(socket.SHUT_WR)
        whole = (block * (sent // len(block) + 1))[:sent]
        assert read(connection) == expected(whole)
    assert sent < 64 * 2**20


def test_giving_a_forward_up_breaks_off_what_it_carries_and_frees_the_port(lab: Lab) -> None:
    with server(digest) as there:
        for reverse in (False, True):
            opened = lab.ask(Forward(bench="b", to=there, reverse=reverse))
            with connect(opened["address"]) as connection:
                assert connection.recv(6) == b"hello "
                lab.ask(Unforward(bench="b", number=opened["number"]))
                with contextlib.suppress(ConnectionResetError):
                    assert connection.recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                connect(opened["address"])
    assert lab.warnings() == []


def test_an_address_that_is_taken_or_is_none_is_refused_at_once(lab: Lab, tmp_path: Path) -> None:
    with server(digest) as taken:
        for reverse in (False, True):
            with pytest.raises(LabError, match=f"cannot listen at {taken} on .*: address already in use"):
                lab.forward("80", listen=taken, reverse=reverse)
    (tmp_path / "there").touch()
    with pytest.raises(LabError, match="cannot listen at .*/there") as caught:
        lab.forward("80", listen=str(tmp_path / "there"))
    assert f"rm {tmp_path / 'there'}" in caught.value.hint
    for wrong in ("", "host", "host:", ":x", "a:b:1", "host:65536"):
        with pytest.raises(RecipeFault, match="is not an address"):
            lab.forward(wrong)


def test_an_agent_that_dies_takes_its_forwards_along(lab: Lab) -> None:
    with server(digest) as there, connect(lab.forward(there)) as connection:
        assert connection.recv(6) == b"hello "
        lab.agent._port._process.kill()  # type: ignore[union-attr]
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        assert "died" in lab.agent.wait(Cancellation())
