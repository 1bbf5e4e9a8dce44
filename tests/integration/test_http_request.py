"""http_request against servers that redirect, ask who it is, break off, and say nothing."""

from __future__ import annotations

import base64
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from support.context import StepContext
from support.nobody import refusing_tcp

from runner.api import Duration, Failed, LabError, Secret, TargetPath, Unreachable
from runner.modules.servers.http_request import Auth, HttpRequest, Responded


class _Pages(http.server.BaseHTTPRequestHandler):
    """Says what it was asked; ``/to?URL`` redirects, ``/digest`` and ``/short`` are as they are called."""

    asked: ClassVar[list[dict[str, object]]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked.append({"path": self.path, "headers": headers, "body": body.decode()})
        if self.path.startswith("/to?"):
            self._answer(302, b"", Location=self.path.removeprefix("/to?"))
        elif self.path == "/digest" and "authorization" not in headers:
            challenge = 'Digest realm="r", nonce="abc", qop="auth", algorithm=SHA-256'
            self._answer(401, b"who?", **{"WWW-Authenticate": challenge})
        elif self.path == "/short":
            self._answer(200, b"abc", length=10)
        else:
            self._answer(200, json.dumps({"relays": [{"ison": True}], "body": body.decode()}).encode())

    do_POST = do_PUT = do_GET  # noqa: N815 - as the library calls them

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length or len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def pages() -> Iterator[tuple[str, list[dict[str, object]]]]:
    handler = type("Pages", (_Pages,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", handler.asked
        server.shutdown()


@pytest.fixture
def site() -> Iterator[tuple[str, list[dict[str, object]]]]:
    with pages() as made:
        yield made


def asked(url: str, **arguments: object) -> Responded:
    return HttpRequest(url=url, **arguments).run(StepContext())


LOGIN = Auth(user="me", password=Secret("pw"))
ENCODED = "Basic " + base64.b64encode(b"me:pw").decode()


def test_what_is_sent_arrives(site: tuple[str, list[dict[str, object]]]) -> None:
    url, seen = site
    asked(url, method="post", json={"a": 1}, headers={"X-Board": "7"}, auth=LOGIN)
    asked(url, method="PUT", form={"a b": "ä"})

    assert seen[0]["body"] == '{"a": 1}'
    headers = seen[0]["headers"]
    assert isinstance(headers, dict)
    assert (headers["x-board"], headers["content-type"], headers["authorization"]) == (
        "7",
        "application/json",
        ENCODED,
    )
    assert seen[1]["body"] == "a+b=%C3%A4"


def test_a_redirect_within_the_origin_keeps_the_credentials(
    site: tuple[str, list[dict[str, object]]],
) -> None:
    url, seen = site
    answer = asked(f"{url}/to?/next", auth=LOGIN)

    assert answer.url == f"{url}/next"
    assert [each["headers"].get("authorization") for each in seen] == [ENCODED, ENCODED]


def test_a_redirect_to_another_origin_does_not_tell_it_the_credentials(
    site: tuple[str, list[dict[str, object]]],
) -> None:
    url, seen = site
    with pages() as (other, seen_there):
        asked(f"{url}/to?{other}/x", auth=LOGIN, headers={"Cookie": "c", "X-Amz-Token": "t", "X-Keep": "k"})

    assert seen[0]["headers"]["authorization"] == ENCODED
    assert not {"authorization", "cookie", "x-amz-token"} & seen_there[0]["headers"].keys()
    assert seen_there[0]["headers"]["x-keep"] == "k"


def test_redirects_are_an_answer_like_others_when_none_is_followed(
    site: tuple[str, list[dict[str, object]]],
) -> None:
    answer = asked(f"{site[0]}/to?/next", redirects=0, expect_status=[302])

    assert answer.headers["location"] == "/next"


def test_a_password_is_told_by_digest(site: tuple[str, list[dict[str, object]]]) -> None:
    url, seen = site
    login = Auth(user="me", password=Secret("pw"), scheme="digest")
    asked(f"{url}/digest", auth=login)

    told = seen[-1]["headers"]["authorization"]
    assert told.startswith("Digest ")
    assert "SHA-256" in told
    assert "pw" not in told


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ({"expect_status": [204, 404]}, "status 200, expected 204 or 404"),
        ({"expect_body": "^nothing"}, "nothing in the body matches '^nothing'"),
        ({"expect_json": {"relays.0.ison": False}}, "relays.0.ison is True, expected False"),
        (
            {"expect_json": {"relays.1.ison": True}},
            "relays.1.ison: no '1' at 'relays': there is a list of 1, expected True",
        ),
    ],
)
def test_another_answer_than_expected_fails_with_both(
    site: tuple[str, list[dict[str, object]]], expectation: dict[str, object], message: str
) -> None:
    with pytest.raises(Failed) as failed:
        asked(f"{site[0]}/?token=secret", **expectation)

    assert failed.value.message == f"GET {site[0]}/: {message}"


def test_the_body_is_written_where_the_recipe_says(site: tuple[str, list[dict[str, object]]]) -> None:
    context = StepContext()
    answer = HttpRequest(url=site[0], dest=TargetPath("/out/x.json")).run(context)

    assert json.loads(context.artifacts["/out/x.json"])["relays"] == [{"ison": True}]
    assert (answer.path, answer.body) == ("/out/x.json", "")


def test_a_body_that_is_cut_off_is_an_error(site: tuple[str, list[dict[str, object]]]) -> None:
    with pytest.raises(LabError, match="IncompleteRead|announced 10 bytes and sent 3"):
        asked(f"{site[0]}/short")


def test_nobody_there_and_nobody_who_answers_are_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        with pytest.raises(Unreachable, match="says nothing for 0.05 s"):
            asked(url, silence=Duration("50ms"))
    with refusing_tcp() as port:
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(Unreachable, match=f"cannot reach {url}: Connection refused"):
            asked(url)


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"url": "ftp://x/"}, "url"),
        ({"url": "http://x", "body": "a", "json": 1}, "json"),
        ({"url": "http://x", "expect_body": "("}, "expect_body"),
    ],
)
def test_what_cannot_be_asked_is_told_before_the_run(given: dict[str, object], argument: str) -> None:
    assert [each.argument for each in HttpRequest.misfits(given)] == [argument]
