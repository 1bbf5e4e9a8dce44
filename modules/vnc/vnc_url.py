"""Serve a page with the screen of a VNC server."""

from __future__ import annotations

from pathlib import Path

from runner.api import Context, Module, Result, Unsupported, arg, device
from runner.api.display import Display
from runner.modules.vnc.page import Page

_QUERY = "vnc.html?autoconnect=1&reconnect=1&path=websockify"


class PageServed(Result):
    """Where the page is."""

    url: str
    """To be opened on the bench's host."""
    host: str
    port: int
    path: str
    """What follows `host:port` in the URL, after a slash: behind a `port_forward`, too."""


class VncUrl(Module):
    """Serve noVNC's page with the screen of a VNC server until the end of the run, and tell its URL.

    Everything comes from the bench's host: page, scripts, and the bytes of the screen. For a bench on
    another machine carry its port over with `port_forward`.

    Example::

        - vnc_url:
          register: screen
        - port_forward: "{{ screen.port }}"
          register: here
        - log: "look at http://{{ here.address }}/{{ screen.path }}"
    """

    unconfined = True

    port: int = arg(default=0, help="the port on the host; 0: a free one", minimum=0, maximum=65535)
    bind: str = arg(default="127.0.0.1", help="the address on the host; nothing else asks who connects")
    files: str = arg(
        default="/usr/share/novnc", help="noVNC on the host, as Debian's package novnc or a release unpacked"
    )
    display: Display = device(help="the VNC server")

    def run(self, context: Context) -> PageServed:
        """Serve it, if that is not done already."""
        page = self.display.page
        if not isinstance(page, Page):
            page = Page(self.display, self._found(), self.bind, self.port)
            self.display.page = page
        url = f"http://{page.host}:{page.port}/{_QUERY}"
        context.log(f"{self.display.where()} is shown at {url}")
        return PageServed(url=url, host=page.host, port=page.port, path=_QUERY)

    def _found(self) -> Path:
        files = Path(self.files)
        if not (files / "vnc.html").is_file():
            raise Unsupported(
                f"no noVNC on the host: there is no {files / 'vnc.html'}",
                hint="apt install novnc there, or say with 'files' where it is",
            )
        return files
