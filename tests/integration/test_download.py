"""Files of the network, fetched by the agent itself; and files of this machine, which are not copied."""

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import probes

from runner.agent.calls import Configure, Heard, Run, Said
from runner.api import LabError, RecipeFault, Unreachable
from runner.api.codec import FILE
from runner.connect.process import LocalAgent
from runner.engine.cancel import Cancellation

PROBES = "lab_of_tests.probes"
SOURCES = {PROBES: ("probes.py", Path(probes.__file__).read_text(encoding="utf-8"))}
CONTENT = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Site(http.server.BaseHTTPRequestHandler):
    """An image, a way to it, and what goes wrong."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/nightly%20v2.img")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(410)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[: 1000 if self.path == "/cut" else None])

    def log_message(self, *_: object) -> None:
        pass


class Web:
    """The site, and an agent of this machine."""

    def __init__(self, port: int, asked: list[str]) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.asked = asked
        self.heard: list[Heard] = []
        self.agent = LocalAgent(sources=SOURCES, console=print, heard=print)
        self._ask(Configure("b", {}))

    def _ask(self, request: Any) -> Any:
        return self.agent.call(request, self.heard.append, cancel=Cancellation())

    def sees(self, file: str) -> dict[str, Any]:
        request = Run("b", f"{PROBES}:Sees", {"file": {FILE: file}}, {}, 60.0)
        seen: dict[str, Any] = self._ask(request)["value"]
        return seen


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    it = Web(server.server_address[1], server.asked)  # type: ignore[attr-defined]
    yield it
    it.agent.close()
    server.shutdown()
    server.server_close()
    thread.join()


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
