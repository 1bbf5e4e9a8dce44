"""Plugs with web servers, emulated: Shelly of two generations, Tasmota, an EnerGenie strip, and a plain one.

What they answer is from the makers' public references; who may come in is judged here by its own
arithmetic (RFC 7616, RFC 7617), not by that of the drivers.
"""

from __future__ import annotations

import abc
import base64
import contextlib
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from support.web_server import Quiet, serving

USER, PASSWORD = "admin", 'pass "word" &1'


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: Any
    connection: int


@dataclass
class Reply:
    status: int = 200
    text: str = ""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False


class WebPlug(abc.ABC):
    """What every one of them does: it keeps a record, asks who comes, and has moods.

    `stuck`: it says yes, and its relays stay as they are. `refuses`: it answers orders with 503.
    `silent`: it answers when `released`.
    """

    auth = ""
    """Who is let in: anybody, or by ``basic``, ``MD5`` or ``SHA-256``."""

    def __init__(self, relays: int = 4) -> None:
        self.relays = [False] * relays
        self.requests: list[Request] = []
        self.stuck = False
        self.refuses = False
        self.silent = False
        self.close_each = False
        self.answers: Reply | None = None
        self.released = threading.Event()
        self.nonces: list[str] = []
        self.counts: list[str] = []
        self.url = ""

    @property
    def said(self) -> list[tuple[str, str, bytes]]:
        """Method, path with query, and body of each request that was let in."""
        return [(each.method, each.path, each.body) for each in self.requests]

    def answer(self, request: Request) -> Reply:
        if self.silent:
            self.released.wait(60)
        if self.auth and (refused := self._refused(request)) is not None:
            return refused
        self.requests.append(request)
        if self.refuses and self.is_order(request):
            return Reply(503, "the outlet is locked", "text/plain")
        return self.answers or self.reply(request)

    def is_order(self, request: Request) -> bool:
        """Tell whether a request is to switch something."""
        return "turn" in request.query or "Switch.Set" in request.path or request.body.startswith(b"cte")

    @abc.abstractmethod
    def reply(self, request: Request) -> Reply: ...

    def switch(self, place: int, on: bool) -> None:
        if not self.stuck:
            self.relays[place] = on

    def _refused(self, request: Request) -> Reply | None:
        said = request.headers.get("Authorization", "")
        if self.auth == "basic":
            wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            return None if said == wanted else Reply(401, headers={"WWW-Authenticate": 'Basic realm="plug"'})
        if self._digest_fits(request, said):
            return None
        self.counts = []
        self.nonces.append(hashlib.sha256(f"{len(self.nonces)}".encode()).hexdigest()[:16])
        asked = f'Digest qop="auth", realm="plug", nonce="{self.nonces[-1]}", algorithm={self.auth}'
        return Reply(401, headers={"WWW-Authenticate": asked})

    def _digest_fits(self, request: Request, said: str) -> bool:
        given = {
            name: quoted or plain
            for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)
        }
        if not self.nonces or given.get("nonce") != self.nonces[-1] or given["nc"] in self.counts:
            return False
        make = hashlib.sha256 if self.auth == "SHA-256" else hashlib.md5

        def h(text: str) -> str:
            return make(text.encode()).hexdigest()

        middle = ":".join((given["nonce"], given["nc"], given["cnonce"], given["qop"]))
        right = h(f"{h(f'{USER}:plug:{PASSWORD}')}:{middle}:{h(f'{request.method}:{request.path}')}")
        fits = given["response"] == right and given["uri"] == request.path
        self.counts = [*self.counts, given["nc"]] if fits else []
        return fits


class ShellyGen1(WebPlug):
    auth = "basic"

    def reply(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        found = re.fullmatch(r"/(relay|meter)/(\d)", path)
        if found is None or int(found[2]) >= len(self.relays):
            return Reply(404, "Not Found", "text/plain")
        place = int(found[2])
        if found[1] == "meter":
            return Reply(text=json.dumps({"power": 12.5 * self.relays[place], "is_valid": True}))
        if "turn" in request.query:
            self.switch(place, request.query["turn"] == "on")
        told = request.query.get("turn", "on" if self.relays[place] else "off")
        return Reply(text=json.dumps({"ison": told == "on", "has_timer": False, "source": "http"}))


class ShellyGen2(WebPlug):
    auth = "SHA-256"

    def reply(self, request: Request) -> Reply:
        place = int(request.query.get("id", "-1"))
        if not 0 <= place < len(self.relays):
            said = {"code": -105, "message": f"Argument 'id', value {place} not found!"}
            return Reply(500, json.dumps(said))
        was = self.relays[place]
        match urlsplit(request.path).path:
            case "/rpc/Switch.Set":
                self.switch(place, request.query["on"] == "true")
                return Reply(text=json.dumps({"was_on": was}))
            case "/rpc/Switch.GetStatus":
                measured = {"apower": 12.5 * was, "voltage": 230.1, "current": 0.054 * was}
                return Reply(text=json.dumps({"id": place, "output": was, **measured}))
        return Reply(404, json.dumps({"code": 404, "message": "No handler"}))


class TasmotaWeb(WebPlug):
    def reply(self, request: Request) -> Reply:
        if (request.query.get("user"), request.query.get("password")) != (USER, PASSWORD):
            return Reply(401, '{"WARNING":"Need user=<username>&password=<password>"}')
        name, _, value = request.query["cmnd"].partition(" ")
        if name == "Status":
            energy = {"Power": 12, "Voltage": 230, "Current": 0.054}
            return Reply(text=json.dumps({"StatusSNS": {"Time": "now", "ENERGY": energy}}))
        place = int(name.removeprefix("Power") or 1) - 1
        if place >= len(self.relays):
            return Reply(text='{"Command":"Unknown"}')
        if value:
            self.switch(place, value == "On")
        called = "POWER" if len(self.relays) == 1 else f"POWER{place + 1}"
        state = value.upper() or ("ON" if self.relays[place] else "OFF")
        return Reply(text=json.dumps({called: state}))


class Strip(WebPlug):
    """EnerGenie's: one at a time, and a wrong password gets the log-in page with status 200."""

    def __init__(self, relays: int = 4) -> None:
        super().__init__(relays)
        self.password = "1"
        self.inside = False
        self.others = 0
        """How many more log-ins somebody else is still inside for; -1: for ever."""
        self.lose_after = 0
        """After how many requests we are found logged out, once; 0: never; -1: before each order."""

    def reply(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        form = dict(parse_qsl(request.body.decode()))
        if len(self.requests) == self.lose_after + 1 > 1 or (self.lose_after < 0 and form.keys() - {"pw"}):
            self.inside = False
        if request.method == "GET" and path == "/login.html":
            self.inside = False
        elif request.method == "POST" and path == "/login.html":
            if self.others:
                self.others = max(self.others - 1, -1) if self.others > 0 else self.others
                return Reply(text="<html>Another session is active.</html>", kind="text/html")
            self.inside = form.get("pw") == self.password
        elif request.method == "POST" and path == "/" and self.inside:
            for name, value in form.items():
                self.switch(int(name.removeprefix("cte")) - 1, value == "1")
        return Reply(text=self._page(), kind="text/html")

    def _page(self) -> str:
        if not self.inside:
            return '<html>EnerGenie Web: <form action="/login.html" method="post"><input name="pw"></form></html>'
        states = ",".join(str(int(each)) for each in self.relays)
        out = '<div class="boxmenuitem"><a href="login.html">Log Out</a></div>'
        return f"<html>{out}<script>var sockstates = [{states}];</script></html>"


class PlainPlug(WebPlug):
    """Any REST plug: ``PUT /outlet/N`` with JSON, and ``GET /outlet/N``; ``/form`` takes a form, ``/text`` words."""

    def reply(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        if path == "/form":
            self.switch(0, parse_qs(request.body.decode())["state"] == ["1"])
            return Reply(text="<b>done</b>", kind="text/html")
        if path == "/text":
            return Reply(text="ON\n" if self.relays[0] else "OFF\n", kind="text/plain")
        place = int(path.rpartition("/")[2])
        if request.method == "PUT":
            self.switch(place, json.loads(request.body)["on"])
        on = self.relays[place]
        return Reply(
            text=json.dumps({"relay": [{"on": on, "word": "closed" if on else "open"}], "volts": "12.1"})
        )


@contextlib.contextmanager
def served(plug: WebPlug, trust: ssl.SSLContext | None = None) -> Iterator[None]:
    """Let a plug answer on a free port, which is in its `url`."""
    with serving(_handler(plug), trust, plug.released.set) as plug.url:
        yield


def _handler(plug: WebPlug) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            if self.headers.get("Content-Type") == "application/x-www-form-urlencoded":
                query.update(parse_qsl(body.decode()))
            reply = plug.answer(
                Request(self.command, self.path, query, body, self.headers, self.client_address[1])
            )
            text = reply.text.encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(text)))
            if plug.close_each:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _do  # noqa: N815 - the names that http.server looks for

    return Handler
