"""Corellium's REST API and console WebSockets, emulated after its public documentation (API 7.3).

Instances go from state to state by being looked at: nothing here depends on time. Behind a console is
a real shell. Every request is kept as it came.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import threading
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.corellium_console import ConsoleServer, Shell
from support.web_server import Quiet, serving

TOKEN = "corellium-token-3f9c"
PROJECT = "6d6f1b1e-0000-4000-8000-000000000001"
CONSOLES = (("Primary Compute Non-Secure", "port-1-cons"), ("Primary Compute Secure", "port-2-cons"))
MODELS = [
    {
        "name": "i.MX 8M Plus",
        "type": "iot",
        "flavor": "kronos",
        "model": "imx8mp-evk",
        "quotas": {"cores": 4},
    },
    {"name": "Raspberry Pi 4", "type": "iot", "flavor": "rpi4b", "model": "rpi4b", "quotas": {"cores": 4}},
]
SYSTEMS = ("1.1.1", "11.2.0")
_UNFIT = {"error": "Invalid or missing authorization token", "errorID": "UserError"}


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.path} {self.body.decode()}".strip()


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Snapshot:
    id: str
    name: str
    looks: int


@dataclass
class Instance:
    id: str
    name: str
    project: str
    flavor: str
    state: str
    error: str = ""
    ahead: list[str] = field(default_factory=list)
    """The states that it goes through, one with each look."""
    snapshots: list[Snapshot] = field(default_factory=list)
    changes: int = 0
    shell: Shell | None = None


class Corellium:
    """The API with one account.

    `looks`: how often an instance is seen in each state on its way. `stuck`: nothing gets anywhere, and
    everything is answered well. `breaks`: what goes wrong with the next instance that is switched on.
    `next_replies`: what is answered instead, in turn. `silent`: it answers when `released`.
    """

    def __init__(self, *, looks: int = 1, login: bool = False) -> None:
        self.looks = looks
        self.login = login
        self.instances: dict[str, Instance] = {}
        self.asked: list[Asked] = []
        self.next_replies: list[Reply] = []
        self.stuck = False
        self.refuses = False
        self.breaks = ""
        self.silent = False
        self.obeys = True
        """Whether systems shut down when they are asked to."""
        self.screen = b""
        """The file that is answered when somebody asks for the screen."""
        self.released = threading.Event()
        self.url = ""
        self.consoles = ConsoleServer()
        self._turn = threading.RLock()

    @property
    def lines(self) -> list[str]:
        """What was asked, without the looks."""
        return [each.line for each in self.asked if each.method != "GET"]

    def add(self, name: str, state: str = "off", project: str = PROJECT) -> Instance:
        made = Instance(str(uuid.uuid4()), name, project, "kronos", "off")
        self.instances[made.id] = made
        self._enter(made, state)
        return made

    def answer(self, asked: Asked) -> Reply:
        if self.silent:
            self.released.wait(120)
        with self._turn:
            self.asked.append(asked)
            if self.next_replies:
                return self.next_replies.pop(0)
            if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
                return Reply(403, _UNFIT)
            if self.refuses and asked.method != "GET":
                return Reply(500, {"error": "no free server", "errorID": "InternalError"})
            return self._found(asked)

    def _found(self, asked: Asked) -> Reply:
        body = json.loads(asked.body) if asked.body else {}
        match asked.method, asked.path:
            case "GET", "/api/v1/projects":
                other = {"id": PROJECT.replace("1", "2"), "name": "Release"}
                return Reply(body=[{"id": PROJECT, "name": "Default Project"}, other])
            case "GET", "/api/v1/models":
                return Reply(body=MODELS)
            case "GET", "/api/v1/instances":
                return Reply(body=[self._looked_at(each) for each in list(self.instances.values())])
            case "POST", "/api/v1/instances":
                return self._made(body)
        found = re.fullmatch(r"/api/v1/instances/([^/?]+)(.*)", asked.path)
        instance = self.instances.get(found[1]) if found else None
        if found is None or instance is None:
            return Reply(404, {"error": "No instance associated with this value", "errorID": "NotFoundError"})
        if found[2].startswith("/snapshots"):
            return self._snapshot(instance, asked.method, found[2].removeprefix("/snapshots"), body)
        return self._done(instance, asked.method, found[2], body)

    def _made(self, body: dict[str, Any]) -> Reply:
        if body.get("flavor") not in [each["flavor"] for each in MODELS]:
            return Reply(400, {"error": f"Unsupported flavor {body.get('flavor')}", "errorID": "UserError"})
        if body.get("os") not in SYSTEMS:
            return Reply(400, {"error": f"Unsupported OS version {body.get('os')}", "errorID": "UserError"})
        made = Instance(str(uuid.uuid4()), body["name"], body["project"], body["flavor"], "creating")
        self.instances[made.id] = made
        self._go(made, "creating", "booting", "on")
        return Reply(body={"id": made.id, "state": "creating"})

    def _done(self, instance: Instance, method: str, verb: str, body: dict[str, Any]) -> Reply:
        match method, verb:
            case "GET", "":
                return Reply(body=self._looked_at(instance))
            case "GET", _ if verb.startswith("/console?type="):
                return self._console(instance, verb.partition("=")[2])
            case "GET", "/screenshot.png":
                return Reply(body=self.screen)
            case "DELETE", "":
                self._go(instance, "deleting", "")
            case "PUT", "/state":
                self._go(instance, *(("booting", "on") if body["state"] == "on" else ("off",)))
            case "POST", "/pause":
                self._go(instance, "paused")
            case "POST", "/unpause":
                self._go(instance, "on")
            case "POST", "/reboot":
                self._go(instance, "rebooting", "on")
            case "POST", "/stop":
                self._go(instance, *(("off",) if self.obeys else ()))
            case _:
                return Reply(404, {"error": "Not Found", "errorID": "NotFoundError"})
        return Reply(204)

    def _console(self, instance: Instance, kind: str) -> Reply:
        if f"port-{kind}" not in [each[1] for each in CONSOLES]:
            return Reply(400, {"error": f"Invalid console {kind}", "errorID": "UserError"})
        if instance.shell is None or instance.shell.ended:
            return Reply(400, {"error": "Instance is not on", "errorID": "UserError"})
        return Reply(body={"url": self.consoles.offer(instance.shell)})

    def _snapshot(self, instance: Instance, method: str, which: str, body: dict[str, Any]) -> Reply:
        if method == "POST" and not which:
            made = Snapshot(str(uuid.uuid4()), body["name"], self.looks)
            instance.snapshots.append(made)
            return Reply(body=self._told(made, instance))
        if method == "GET":
            return Reply(body=[self._told(each, instance) for each in instance.snapshots])
        known = {each.id: each for each in instance.snapshots}
        if (found := known.get(which.split("/")[1])) is None:
            return Reply(404, {"error": "No snapshot associated with this value", "errorID": "NotFoundError"})
        if method == "DELETE":
            instance.snapshots.remove(found)
        else:
            self._go(instance, "restoring", "on")
        return Reply(204)

    def _told(self, snapshot: Snapshot, instance: Instance) -> dict[str, Any]:
        whole = snapshot.looks == 0
        snapshot.looks = max(0, snapshot.looks - 1)
        status = {"task": "none" if whole else "creating", "created": whole}
        return {"id": snapshot.id, "name": snapshot.name, "instance": instance.id, "status": status,
                "date": 1700000000 + zlib.crc32(snapshot.name.encode()) % 1000, "live": True}  # fmt: skip

    def _go(self, instance: Instance, *states: str) -> None:
        """Have it go through these states, each of them but the last seen `looks` times."""
        if self.breaks and "booting" in states:
            instance.error, self.breaks = self.breaks, ""
            states = ("error",)
        if states and states[0] in ("off", "deleting", "rebooting"):
            self._end_shell(instance)
        if not self.stuck:
            way = [instance.state, *states]
            instance.ahead = [each for each in way[:-1] for _ in range(self.looks)] + way[-1:]

    def _looked_at(self, instance: Instance) -> dict[str, Any]:
        if instance.ahead:
            self._enter(instance, instance.ahead.pop(0))
        if not instance.state:
            del self.instances[instance.id]
        consoles = [{"name": name, "id": id_, "port": 5000} for name, id_ in CONSOLES]
        return {
            "id": instance.id, "name": instance.name, "flavor": instance.flavor, "project": instance.project,
            "stateChanged": f"2026-01-01T00:00:{instance.changes:02}.000Z",
            "state": instance.state or "deleting", "error": instance.error or None,
            "model": instance.flavor, "consoles": consoles,
        }  # fmt: skip

    def _enter(self, instance: Instance, state: str) -> None:
        changed = instance.state != state
        instance.changes += changed
        instance.state = state
        if state in ("off", "", "error", "rebooting"):
            self._end_shell(instance)
        talks = instance.shell is not None and not instance.shell.ended
        lives = state in ("booting", "paused") or (state == "on" and changed)
        if lives and not talks:
            instance.shell = Shell(login=self.login)

    def _end_shell(self, instance: Instance) -> None:
        """End what is at the console; it may be a while until the state tells of that."""
        if instance.shell is not None:
            instance.shell.end()

    def close(self) -> None:
        self.released.set()
        for each in self.instances.values():
            self._end_shell(each)


@contextlib.contextmanager
def served(api: Corellium, trust: ssl.SSLContext | None = None) -> Iterator[Corellium]:
    """Let it answer on free ports; its address is in its `url`."""
    with serving(_handler(api), trust, api.close) as api.url, api.consoles.served():
        yield api


def _encoded(body: Any) -> tuple[str, bytes]:
    if isinstance(body, bytes):
        return "image/png", body
    if isinstance(body, str):
        return "text/html", body.encode()
    return "application/json", b"" if body is None else json.dumps(body).encode()


def _handler(api: Corellium) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = api.answer(Asked(self.command, self.path, dict(self.headers), body))
            kind, text = _encoded(reply.body)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - the names that http.server looks for

    return Handler
