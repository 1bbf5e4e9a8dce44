"""Files of the network, fetched by the agent itself; and files of this machine, which are not copied."""

import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import probes
from support.command import runner
from support.media import noise

from runner.agent.calls import Configure, Heard, Run, Said
from runner.api import LabError, RecipeFault, Unreachable
from runner.api.codec import FILE
from runner.connect.process import LocalAgent
from runner.engine.cancel import Cancellation

PROBES = "lab_of_tests.probes"
SOURCES = {PROBES: ("probes.py", Path(probes.__file__).read_text(encoding="utf-8"))}
CONTENT = noise(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Site(http.server.BaseHTTPRequestHandler):
    """An image, a way to it, and what goes wrong."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.server.headers.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        if self.path == "/moved":
            self.lead("/nightly%20v2.img")
        elif self.path == "/for-ever":
            self.lead("/for-ever?again")
        elif self.path == "/for-ever?again":
            self.lead("/for-ever")
        elif self.path.startswith("/to="):
            self.lead(self.path.removeprefix("/to="), 308)
        elif self.path == "/private" and self.headers.get("Authorization") is None:
            self.send_error(401)
        elif self.path.startswith("/gone"):
            self.send_error(410)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[: 1000 if self.path == "/cut" else None])

    def lead(self, to: str, code: int = 302) -> None:
        self.send_response(code)
        self.send_header("Location", to)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Web:
    """The site, and an agent of this machine."""

    def __init__(self, port: int, asked: list[str], headers: list[tuple[str, dict[str, str]]]) -> None:
        self.headers = headers
        self.root = f"http://127.0.0.1:{port}"
        self.asked = asked
        self.heard: list[Heard] = []
        self.agent = LocalAgent(sources=SOURCES, console=print, heard=print)
        self._ask(Configure("b", {}))

    def _ask(self, request: Any) -> Any:
        return self.agent.call(request, self.heard.append, cancel=Cancellation())

    def sees(self, file: str, **more: Any) -> dict[str, Any]:
        probe = "Fetches" if more else "Sees"
        request = Run("b", f"{PROBES}:{probe}", {"file": {FILE: file}, **more}, {}, 60.0)
        seen: dict[str, Any] = self._ask(request)["value"]
        return seen


@contextlib.contextmanager
def site() -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked, server.headers = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with site() as server:
        it = Web(server.server_address[1], server.asked, server.headers)
        try:
            yield it
        finally:
            it.agent.close()


def test_a_url_is_fetched_once_and_gone_with_the_agent(web: Web, tmp_path: Path) -> None:
    seen = web.sees(f"{web.root}/nightly%20v2.img?build=7")
    assert (seen["sha256"], Path(seen["path"]).name) == (SHA256, "nightly v2.img")
    assert web.sees(f"{web.root}/nightly%20v2.img?build=7") == seen
    assert web.asked == ["/nightly%20v2.img?build=7"]
    assert any(
        isinstance(each, Said) and each.text.startswith("fetched nightly v2.img: 293 KiB in")
        for each in web.heard
    )
    web.agent.close()

    assert not list(tmp_path.iterdir())


def test_redirects_are_followed_and_a_checksum_is_compared(web: Web) -> None:
    assert web.sees(f"{web.root}/moved#sha256={SHA256}")["sha256"] == SHA256
    assert web.asked == ["/moved", "/nightly%20v2.img"]
    assert web.sees(f"{web.root}/other.img#sha256={SHA256}")["sha256"] == SHA256
    assert len(web.asked) == 2
    with pytest.raises(RecipeFault, match=rf"has the SHA-256 {SHA256[:12]}…, expected 000000000000…"):
        web.sees(f"{web.root}/x.img#sha256={'0' * 64}")
    with pytest.raises(RecipeFault, match="'#md5=1' does not say what the file has to be"):
        web.sees(f"{web.root}/x.img#md5=1")


GIVEN = {"X-Amz-Security-Token": "token-1", "Cookie": "session-1", "X-Build": "7"}
SECRETS = {"Authorization": "Bearer token-2", "X-Amz-Security-Token": "token-1", "Cookie": "session-1"}


def sent(headers: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def test_credentials_follow_a_redirect_to_the_same_server_only(web: Web) -> None:
    with site() as other:
        there = f"http://127.0.0.1:{other.server_address[1]}/nightly.img?X-Amz-Signature=a%2Fb"
        web.sees(f"{web.root}/to=/to={there}", headers=GIVEN, bearer="token-2")

        assert other.asked == ["/nightly.img?X-Amz-Signature=a%2Fb"]
        first, second = (headers for _, headers in web.headers)
        assert sent(first, SECRETS) == sent(second, SECRETS) == SECRETS
        assert sent(other.headers[0][1], {**SECRETS, "X-Build": "7"}) == {"X-Build": "7"}


def test_a_file_of_another_server_is_asked_for_without_the_credentials_of_the_image(web: Web) -> None:
    with site() as other:
        beside = {FILE: f"http://127.0.0.1:{other.server_address[1]}/beside.bmap"}
        web.sees(f"{web.root}/private", headers=GIVEN, bearer="token-2", beside=beside)

        assert sent(web.headers[0][1], SECRETS) == SECRETS
        assert sent(other.headers[0][1], SECRETS) == {}


def test_user_and_password_of_a_url_are_a_header_and_shown_nowhere(web: Web) -> None:
    named = web.root.replace("http://", "http://ana:s%2Fcret@")
    web.sees(f"{named}/private?sig=abc")

    assert web.headers[0][1]["Authorization"] == "Basic YW5hOnMvY3JldA=="
    said = next(each.text for each in web.heard if isinstance(each, Said))
    assert said.endswith(f"from {web.root}/private?…")
    with pytest.raises(LabError) as caught:
        web.sees(f"{named}/gone?sig=abc")
    assert caught.value.message == f"{web.root}/gone?…: the server answers 410 Gone"


def test_who_may_not_is_told_what_to_give(web: Web) -> None:
    with pytest.raises(LabError, match="the server answers 401 Unauthorized") as caught:
        web.sees(f"{web.root}/private")
    assert caught.value.hint.startswith("give 'bearer' or 'headers'")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/for-ever", "/for-ever leads on and on: 10 redirects were followed"),
        ("/to=ftp://127.0.0.1/x", "127.0.0.1/x, which is no web server|ftp"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_refused(web: Web, path: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        web.sees(f"{web.root}{path}")


def test_a_file_that_is_known_by_its_checksum_is_not_asked_for_again(web: Web) -> None:
    web.sees(f"{web.root}/one.img")

    assert web.sees(f"{web.root}/two.img", sha256=SHA256)["sha256"] == SHA256
    assert web.asked == ["/one.img"]
    with pytest.raises(RecipeFault, match=f"has the SHA-256 {SHA256[:12]}…, expected 111111111111…"):
        web.sees(f"{web.root}/two.img", sha256="1" * 64)


@pytest.mark.parametrize("headers", [{"X Y": "1"}, {"X-Y": "1\r\nHost: other"}])
def test_a_header_that_http_cannot_have_is_refused(web: Web, headers: dict[str, str]) -> None:
    with pytest.raises(RecipeFault, match="HTTP header"):
        web.sees(f"{web.root}/one.img", headers=headers)
    assert web.asked == []


def test_what_the_network_does_wrong_is_said(web: Web) -> None:
    with pytest.raises(LabError, match="/gone: the server answers 410 Gone"):
        web.sees(f"{web.root}/gone")
    with pytest.raises(LabError, match="/cut: 1000 bytes came of 300000, then the connection was lost"):
        web.sees(f"{web.root}/cut")
    with pytest.raises(Unreachable, match="127.0.0.1:1/x: .*Connection refused"):
        web.sees("http://127.0.0.1:1/x")


def test_a_file_of_this_machine_is_used_as_it_is(web: Web, tmp_path: Path) -> None:
    image = tmp_path / "one.img"
    image.write_bytes(CONTENT)

    assert web.sees(str(image))["path"] == str(image)
    assert [each.name for each in tmp_path.iterdir()] == ["one.img"]


def test_flash_says_its_headers_and_token_to_the_server_of_the_image(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(
        f"benches: {{desk: {{devices: {{disk: {{driver: file, path: {tmp_path}/disk}}}}}}}}", encoding="utf-8"
    )
    with site() as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/private"
        step = {"image": url, "headers": {"X-Shelf": "shelf-seven"}, "bearer": "token-2", "sha256": SHA256}
        (tmp_path / "r.yaml").write_text(f"steps:\n  - flash: {json.dumps(step)}\n", encoding="utf-8")
        done = runner(
            tmp_path,
            "play",
            "r.yaml",
            "-i",
            "lab.yaml",
            no_proxy="127.0.0.1",
            RUNNER_LOCKS=str(tmp_path / "locks"),
        )

    (headers,) = (given for path, given in server.headers if path == "/private")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (headers["X-Shelf"], headers["Authorization"]) == ("shelf-seven", "Bearer token-2")
    assert (tmp_path / "disk").read_bytes() == CONTENT
    kept = b"".join(each.read_bytes() for each in (tmp_path / "results").rglob("*") if each.is_file())
    assert b"shelf-seven" not in kept
    assert b"token-2" not in kept
