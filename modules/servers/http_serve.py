"""Serve files to boards by HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, FilePath, HttpFiles, Misfit, Module, Result, arg, device
from runner.modules.servers.serving import ServedFile, change, described, unservable


class HttpServed(Result):
    """Where boards find the files."""

    url: str
    """Of the server."""
    host: str
    port: int
    files: list[ServedFile]
    """What this step has added."""
    urls: dict[str, str]
    """The URL of each of them."""
    changed: bool


class HttpServe(Module):
    """Serve files by HTTP from the bench's host, until the run ends or a step stops it.

    Example::

        - http_serve: {files: {nightly.img: build/nightly.img}}
          register: web
        - console_cmd: "curl -fsS -o /tmp/nightly.img {{ web.urls['nightly.img'] }}"
        - http_serve: {state: stopped}
          defer: true
    """

    files: dict[str, FilePath] = arg(default={}, primary=True, help="name on the server, and the file")
    state: Literal["started", "stopped"] = arg(default="started", help="stopped gives the port back")
    server: HttpFiles = device(help="the server")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which names no board can ask for, and that a stopped server serves nothing."""
        return unservable(given)

    def run(self, context: Context) -> HttpServed:
        """Start it, or stop it."""
        served = change(self.server, self.files, self.state, context)
        if self.state == "started":
            context.log(f"HTTP at {self.server.url()}{described(served)}")
        return HttpServed(
            url=self.server.url(),
            host=self.server.host(),
            port=self.server.port_number(),
            files=served.files,
            urls={each.name: self.server.url(each.name) for each in served.files},
            changed=served.changed,
        )
