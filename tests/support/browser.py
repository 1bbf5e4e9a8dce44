"""A real browser, Chromium without a window, driven by its DevTools protocol over a WebSocket.

https://chromedevtools.github.io/devtools-protocol/, domains Page, Runtime, Network, Log and Input. What the
tests need of it is small, and `websockets` is here anyway: Selenium would bring a second program and
seven packages.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from support.command import wait_until

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LIMIT = 60.0
_SHIFT = 8
_CHANGED = "ERR_NETWORK_CHANGED"
_FLAGS = (
    "--headless",
    "--no-sandbox",  # which root cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # other sites are asked for in vain
    "--remote-debugging-port=0",
)


class Page:
    """A tab: what it asks for, what goes wrong in it, and what it shows."""

    def __init__(self, debugger: ClientConnection) -> None:
        self._socket = debugger
        self._number = 0
        self._events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")

    def open(self, url: str, until: str) -> None:
        """Go there, and wait until an expression is true.

        Two seconds after a cable was laid or pulled on this machine, which other tests do, the browser
        gives up whatever it is loading (net::ERR_NETWORK_CHANGED): then begin anew, as a person would.
        """
        self._go(url)

        def shown() -> bool:
            if any(_CHANGED in each for each in self._complaints()):
                self._go("about:blank")
                self._go(url)
            return bool(self.evaluate(until))

        self._wait(shown, f"{until} at {url}")

    def _go(self, url: str) -> None:
        self._events.clear()
        self._call("Page.navigate", url=url)
        self._wait(lambda: bool(self._heard("Page.loadEventFired")), f"{url} is loaded")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true."""
        self._wait(lambda: bool(self.evaluate(expression)), expression)

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        try:
            wait_until(holds, what, LIMIT)
        except AssertionError as error:
            raise AssertionError(f"{error}; the browser says {self._complaints()}") from error

    def type(self, text: str) -> None:
        """Press and release the key of each letter, digit or Enter (``\\r``), with Shift for capitals."""
        for each in text:
            if each == "\r":
                self._key("Enter", "Enter", each)
            else:
                self._letter(each)

    def _letter(self, letter: str) -> None:
        code = f"Digit{letter}" if letter.isdigit() else f"Key{letter.upper()}"
        if not letter.isupper():
            self._key(letter, code, letter)
            return
        shift = {"key": "Shift", "code": "ShiftLeft", "windowsVirtualKeyCode": 16}
        self._call("Input.dispatchKeyEvent", type="rawKeyDown", modifiers=_SHIFT, **shift)
        self._key(letter, code, letter, modifiers=_SHIFT)
        self._call("Input.dispatchKeyEvent", type="keyUp", **shift)

    def _key(self, key: str, code: str, text: str, modifiers: int = 0) -> None:
        given = {"key": key, "code": code, "windowsVirtualKeyCode": ord(text.upper()), "modifiers": modifiers}
        self._call("Input.dispatchKeyEvent", type="keyDown", text=text, **given)
        self._call("Input.dispatchKeyEvent", type="keyUp", **given)

    def picture(self) -> bytes:
        """Return what the page's first canvas holds, as PNG."""
        data = self.evaluate("document.querySelector('canvas').toDataURL('image/png')")
        return base64.b64decode(data.partition(",")[2])

    def asked(self) -> set[str]:
        """Return every URL that was asked for, and those of WebSockets; no content that stands in its URL."""
        seen = {each["params"]["request"]["url"] for each in self._heard("Network.requestWillBeSent")}
        seen |= {each["params"]["url"] for each in self._heard("Network.webSocketCreated")}
        return {each for each in seen if not each.startswith(("data:", "blob:"))}

    def faults(self) -> list[str]:
        """Return what the browser complains of: exceptions, refusals, and what could not be loaded."""
        return [each for each in self._complaints() if _CHANGED not in each]

    def _complaints(self) -> list[str]:
        heard = self._heard("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed")
        said = [each["params"] for each in heard]
        return [json.dumps(each) for each in said if each.get("entry", {}).get("level", "error") == "error"]

    def _heard(self, *methods: str) -> list[dict[str, Any]]:
        """Return the events of these kinds since the page was asked for."""
        self._call("Runtime.getIsolateId")  # what came before its answer has been read then
        return [each for each in self._events if each["method"] in methods]

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=LIMIT))
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            if "method" in message:
                self._events.append(message)


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Callable[[], contextlib.AbstractContextManager[Page]]]:
    """Start a browser with a new profile below `folder`; give what opens an empty tab."""
    profile = folder / "profile"
    profile.mkdir()
    command = [program(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        ) as process,
    ):
        try:
            port = _listening(profile / "DevToolsActivePort", process, folder / "log")
            yield lambda: _tab(port)
        finally:
            process.terminate()
            process.wait(LIMIT)


def _listening(told: Path, process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port of the protocol once the browser has written it down."""

    def there() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        return told.exists() and "\n" in told.read_text(encoding="ascii")

    wait_until(there, "the browser listens", LIMIT)
    return int(told.read_text(encoding="ascii").splitlines()[0])


@contextlib.contextmanager
def _tab(port: int) -> Iterator[Page]:
    from websockets.sync.client import connect

    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as asking:
        asking.request("PUT", "/json/new?about:blank")
        made = json.loads(asking.getresponse().read())
        try:
            with connect(made["webSocketDebuggerUrl"], max_size=None, open_timeout=LIMIT) as debugger:
                yield Page(debugger)
        finally:
            asking.request("GET", f"/json/close/{made['id']}")
            asking.getresponse().read()


def origin(url: str) -> str:
    """Return the address in a URL.

    >>> origin("ws://127.0.0.1:80/websockify")
    '127.0.0.1:80'
    """
    return urlsplit(url).netloc


def program() -> str:
    return shutil.which("chromium") or ""


def missing() -> str:
    """Return why there is no browser here, or nothing."""
    return "" if program() else "no program 'chromium'"
