"""The HTTP server, as curl sees it."""

from __future__ import annotations

import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.plain_context import PlainContext

from runner.api import LabError, Transfer
from runner.modules.servers.http_server import HttpServer, Tls

CONTENT = random.Random(1).randbytes(3_000_000)
pytestmark = pytest.mark.peer("curl")


@contextmanager
def serving(**options: object) -> Iterator[HttpServer]:
    server = HttpServer(**{"bind": "127.0.0.1", **options})
    server.open()
    try:
        server.start(PlainContext())
        yield server
    finally:
        server.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpServer]:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "image").write_bytes(CONTENT)
    (tmp_path / "www" / "outside").symlink_to("/etc/passwd")
    with serving(root=str(tmp_path / "www"), uploads=True, upload_limit=4_000_000) as made:
        yield made


def curl(*arguments: str, stdin: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the last answer."""
    done = subprocess.run(
        ["curl", "-sS", "-D", "/dev/stderr", *arguments],
        input=stdin,
        capture_output=True,
        timeout=100,
        check=False,
    )
    head = done.stderr.decode().strip().split("\r\n\r\n")[-1].split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    return int(head[0].split()[1]), headers, done.stdout


def seen(server: HttpServer) -> Transfer:
    """Return the first request."""
    _, transfer = server.next(0, 30, PlainContext()) or (0, None)
    assert transfer is not None
    return transfer


def test_a_file_comes_whole(server: HttpServer) -> None:
    status, headers, body = curl(server.url("image"))

    assert (status, headers["content-length"], body) == (200, "3000000", CONTENT)
    assert (seen(server).complete, seen(server).bytes, seen(server).file) == (True, 3_000_000, "image")


@pytest.mark.parametrize(
    ("asked", "start", "end", "complete"),
    [
        ("0-0", 0, 1, False),
        ("-5", 2_999_995, 3_000_000, True),
        ("2999000-9999999", 2_999_000, 3_000_000, True),
    ],
)
def test_a_part_of_a_file_comes_alone(
    server: HttpServer, asked: str, start: int, end: int, complete: bool
) -> None:
    status, headers, body = curl("-r", asked, server.url("image"))

    assert (status, body) == (206, CONTENT[start:end])
    assert headers["content-range"] == f"bytes {start}-{end - 1}/3000000"
    assert seen(server).complete is complete


def test_a_part_that_the_file_does_not_have_is_refused(server: HttpServer) -> None:
    status, headers, _ = curl("-r", "3000000-", server.url("image"))

    assert (status, headers["content-range"]) == (416, "bytes */3000000")


def test_a_download_that_was_cut_off_is_continued(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / "got").write_bytes(CONTENT[:1_234_567])
    curl("-C", "-", "-o", str(tmp_path / "got"), server.url("image"))

    assert (tmp_path / "got").read_bytes() == CONTENT


def test_head_brings_the_headers_only_and_is_no_download(server: HttpServer) -> None:
    status, headers, body = curl("-I", "-o", "/dev/null", server.url("image"))

    assert (status, headers["content-length"], body) == (200, "3000000", b"")
    assert not seen(server).complete


def test_what_the_board_has_already_is_not_sent_again(server: HttpServer, tmp_path: Path) -> None:
    _, headers, _ = curl(server.url("image"))
    same, _, body = curl("-H", f"If-None-Match: {headers['etag']}", server.url("image"))
    (tmp_path / "www" / "image").write_bytes(b"new")
    changed, _, new = curl("-H", f"If-None-Match: {headers['etag']}", server.url("image"))

    assert (same, body, changed, new) == (304, b"", 200, b"new")


def test_a_part_of_a_file_that_has_changed_is_the_whole_file(server: HttpServer) -> None:
    status, _, body = curl("-H", 'If-Range: "other"', "-r", "0-9", server.url("image"))

    assert (status, len(body)) == (200, 3_000_000)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("nothing", 404), ("../etc/passwd", 403), ("%2e%2e/etc/passwd", 403), ("outside", 403), ("", 403)],
)
def test_what_is_not_served_cannot_be_had(server: HttpServer, path: str, expected: int) -> None:
    status, _, _ = curl("--path-as-is", f"{server.url()}{path}")

    assert status == expected
    assert not seen(server).complete


def test_a_file_that_is_put_is_there(server: HttpServer) -> None:
    new, _, _ = curl("-T", "-", server.url("logs/one"), stdin=CONTENT)
    again, _, _ = curl("-H", "Content-Length: 3", "-T", "-", server.url("logs/one"), stdin=b"abc")
    _, _, body = curl(server.url("logs/one"))

    assert (new, again, body) == (201, 204, b"abc")
    assert seen(server).method == "PUT"
    assert Path(seen(server).path).read_bytes() == b"abc"


def test_a_file_that_is_too_large_or_leads_out_is_not_taken(server: HttpServer) -> None:
    large, _, _ = curl("-T", "-", server.url("large"), stdin=CONTENT * 2)
    out, _, _ = curl("--path-as-is", "-T", "-", f"{server.url()}../out", stdin=b"x")

    assert (large, out) == (413, 403)
    assert curl(server.url("large"))[0] == 404


def test_nothing_is_taken_where_that_is_not_allowed(tmp_path: Path) -> None:
    with serving(root=str(tmp_path)) as server:
        status, headers, _ = curl("-T", "-", server.url("x"), stdin=b"x")

    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_a_board_that_hangs_up_has_not_fetched_it(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(64_000_000))
    with (
        serving(root=str(tmp_path)) as server,
        socket.create_connection(("127.0.0.1", server.port_number())) as port,
    ):
        port.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        port.recv(1000)
        port.close()
        transfer = seen(server)

    assert not transfer.complete
    assert transfer.problem.startswith("the connection broke")


def test_stopping_hangs_up_on_who_says_nothing(tmp_path: Path) -> None:
    with (
        serving(root=str(tmp_path), silence=600) as server,
        socket.create_connection(("127.0.0.1", server.port_number())) as port,
    ):
        port.settimeout(30)
        port.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not seen(server).complete
        server.stop()

        while port.recv(10_000):
            pass  # what was said before; without an end this times out


@pytest.mark.peer("openssl")
def test_tls_is_spoken_with_the_certificate_of_the_inventory(tmp_path: Path) -> None:
    key, cert = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    names = ["-subj", "/CN=board-server", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", cert, *names], check=True, capture_output=True)
    (tmp_path / "file").write_bytes(CONTENT)
    with serving(root=str(tmp_path), tls=Tls(cert=cert, key=key)) as server:
        assert server.url("file").startswith("https://127.0.0.1:")
        assert curl("--cacert", cert, server.url("file"))[2] == CONTENT
        with socket.create_connection(("127.0.0.1", server.port_number())) as silent:
            assert curl("--cacert", cert, server.url("file"))[2] == CONTENT
            silent.close()


def test_a_port_that_is_taken_is_an_error(server: HttpServer) -> None:
    second = HttpServer(bind="127.0.0.1", port=server.port_number())
    second.open()
    with pytest.raises(LabError, match=r"cannot listen on 127.0.0.1 port \d+/tcp for HTTP: Address already"):
        second.start(PlainContext())
    second.close()
