"""tftp_get against tftp-hpa's server, and against servers that do wrong."""

from __future__ import annotations

import hashlib
import random
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import wait_until
from support.context import StepContext

from runner.api import Duration, Failed, LabError, TargetPath, Unreachable
from runner.modules.servers import tftp_packets as packets
from runner.modules.servers.tftp_get import TftpGet

CONTENT = random.Random(2).randbytes(300_000)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def tftpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serves ``image`` with tftp-hpa, for the tests of this file; in the foreground, so that it can be ended."""
    folder = tmp_path_factory.mktemp("tftpd")
    (folder / "image").write_bytes(CONTENT)
    port = free_port()
    command = ["/usr/sbin/in.tftpd", "--foreground", "--listen", "--address", f"127.0.0.1:{port}"]
    with subprocess.Popen([*command, "--user", "root", "--secure", str(folder)]) as server:
        wait_until(lambda: _listens(port), "tftpd listens")
        yield port
        server.terminate()


def _listens(port: int) -> bool:
    return f":{port:04X} " in Path("/proc/net/udp").read_text(encoding="ascii")


@contextmanager
def answering(*answers: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that answers each packet by the next function, from one port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        port.settimeout(30)

        def serve() -> None:
            for answer in answers:
                packet, peer = port.recvfrom(65536)
                port.sendto(answer(packet), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(port.getsockname()[1])
        thread.join()


@pytest.mark.peer("tftpd")
@pytest.mark.parametrize("block_size", [512, 1468, 8192])
def test_a_file_comes_from_another_server_as_it_is(tftpd: int, block_size: int) -> None:
    context = StepContext()
    module = TftpGet(
        host="127.0.0.1", port=tftpd, file="image", block_size=block_size, dest=TargetPath("/out/image")
    )
    got = module.run(context)

    assert (got.size, got.sha256) == (300_000, hashlib.sha256(CONTENT).hexdigest())
    assert context.artifacts == {"/out/image": CONTENT}
    assert context.shown[-1] == (300_000, 300_000)


@pytest.mark.peer("tftpd")
def test_an_error_of_the_server_fails_and_may_be_expected(tftpd: int) -> None:
    expected = TftpGet(host="127.0.0.1", port=tftpd, file="nothing", expect_error=1).run(StepContext())
    with pytest.raises(Failed, match="answers with error 1 to 'nothing': file not found"):
        TftpGet(host="127.0.0.1", port=tftpd, file="nothing").run(StepContext())
    with pytest.raises(Failed, match=r"sends 'image' \(300000 bytes\), expected error 2"):
        TftpGet(host="127.0.0.1", port=tftpd, file="image", expect_error=2).run(StepContext())

    assert expected.error == 1


@pytest.mark.peer("tftpd")
def test_another_content_than_was_asked_for_fails(tftpd: int) -> None:
    with pytest.raises(Failed, match="has the SHA-256 .*, expected 000000000000…"):
        TftpGet(host="127.0.0.1", port=tftpd, file="image", sha256="0" * 64).run(StepContext())


def test_a_server_that_says_nothing_is_unreachable() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        module = TftpGet(
            host="127.0.0.1", port=mute.getsockname()[1], file="image", packet_timeout=Duration("10ms")
        )
        with pytest.raises(Unreachable, match=r"says nothing: 5 times 0.01 s"):
            module.run(StepContext())


def test_a_file_that_is_shorter_than_announced_is_an_error() -> None:
    with (
        answering(
            lambda _: packets.option_ack({"tsize": "1000"}), lambda _: packets.data(1, b"short")
        ) as port,
        pytest.raises(LabError, match="announced 1000 bytes of 'image' and sent 5"),
    ):
        TftpGet(host="127.0.0.1", port=port, file="image").run(StepContext())


def test_a_server_that_does_not_speak_tftp_is_an_error() -> None:
    with (
        answering(lambda _: b"HTTP/1.1 400 Bad Request\r\n") as port,
        pytest.raises(LabError, match="sent what is no packet of TFTP"),
    ):
        TftpGet(host="127.0.0.1", port=port, file="image").run(StepContext())
