"""EnerGenie's power strips with a LAN socket, by the forms of their web pages (EG-PMS-LAN, EG-PMS2-LAN)."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from runner.api import Driver, Duration, LabError, Misfit, Needs, Power, PowerState, Secret, Unreachable, arg
from runner.api.json_path import shown
from runner.api.web import Web
from runner.modules.power.http_requests import wrong_url

_INSIDE = re.compile(r">\s*Log Out\s*<", re.IGNORECASE)
"""What only a page behind the log-in has."""
_BUSY = re.compile(
    r"another (?:user|session|client)|already logged|session (?:is )?(?:active|busy)", re.IGNORECASE
)
"""What a strip says to the second who comes; the words of the firmware are not documented."""
_STATES = re.compile(r"sockstates\s*=\s*\[\s*([01])\s*,\s*([01])\s*,\s*([01])\s*,\s*([01])\s*\]")
_LOGIN = "/login.html"
_PAUSE = 0.2
"""Seconds until a strip that somebody else is using is asked again."""
_Found = TypeVar("_Found")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Energenie(Driver, Power):
    """A socket of an EnerGenie power strip with a LAN socket (EG-PMS-LAN, EG-PMS2-LAN).

    The strip lets in one at a time. So each call logs in, does its work, and
    logs out again; while somebody else is logged in it waits, up to `limit`. What the strip
    answers with status 200 may still be its log-in page, so the page itself is what counts.
    Not tried on hardware yet: what a strip says to a second user is an assumption.

    Example::

        devices:
          power: {driver: energenie, host: 10.0.0.20, socket: 3, password: !env STRIP_PASSWORD}
    """

    host: str = arg(primary=True, help="the strip's address: host or host:port")
    socket: int = arg(default=1, help="which of its sockets", minimum=1, maximum=4)
    password: Secret = arg(default=Secret("1"), help="its password; a new strip has 1", secret=True)
    logout: bool = arg(default=True, help="whether to log out after each call, so that others can log in")
    limit: Duration = arg(
        default=Duration("10s"), help="how long the strip may take to answer, and others to log out"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no address."""
        if wrong_url(f"http://{given.get('host', 'x')}"):
            yield Misfit("host", f"{given['host']!r} is no host", "write host or host:port")

    def needs(self) -> Needs:
        """Return the strip's URL."""
        return Needs(nodes=(f"http://{self.host}",))

    def open(self) -> None:
        """Get ready; each call connects."""
        self._web = Web(url=f"http://{self.host}", limit=self.limit)

    def close(self) -> None:
        """End the connection; the strip stays as it is."""
        self._web.close()

    def on(self) -> None:
        """Log in, and switch the socket on."""
        self._switch("1")

    def off(self) -> None:
        """Log in, and switch the socket off."""
        self._switch("0")

    def state(self) -> PowerState:
        """Log in, and read the socket."""
        return self._inside(self._state)

    def label(self) -> str:
        """Return which socket of which strip it is."""
        return f"socket {self.socket} of {self._web.url}"

    def _switch(self, value: Literal["1", "0"]) -> None:
        def act(_page: str) -> bool | None:
            page = self._post("/", **{f"cte{self.socket}": value})
            return True if self._is_inside(page) or self._is_inside(self._overview()) else None

        self._inside(act)

    def _inside(self, act: Callable[[str], _Found | None]) -> _Found:
        """Log in and act; again, up to the limit, when that finds us logged out.

        A session belongs to an address: who else uses the strip from this host logs us out, too.
        """
        end = time.monotonic() + self.limit
        while True:
            with self._logged_in() as page:
                found = act(page)
            if found is not None:
                return found
            if time.monotonic() + _PAUSE > end:
                raise LabError(
                    f"{self._web.url} logs us out before anything is done, for {self.limit}",
                    evidence={"host": self.host, "limit": float(self.limit)},
                    hint="does somebody else use it all the time?",
                )
            time.sleep(_PAUSE)

    @contextlib.contextmanager
    def _logged_in(self) -> Iterator[str]:
        """Log in for a while, and give the page behind the log-in."""
        page = self._log_in()
        try:
            yield page
        except LabError:
            self._leave_quietly()
            raise
        if self.logout:
            self._web.fetch("GET", _LOGIN)

    def _leave_quietly(self) -> None:
        """Log out after an error, which is worth more than another one of logging out."""
        with contextlib.suppress(LabError):
            self._web.fetch("GET", _LOGIN)

    def _log_in(self) -> str:
        end = time.monotonic() + self.limit
        while not self._is_inside(page := self._post(_LOGIN, pw=str(self.password))):
            if not _BUSY.search(page):
                raise LabError(
                    f"{self._web.url} shows its log-in page again: the password is wrong",
                    evidence={"host": self.host, "page": page[:1000]},
                    hint="or somebody else is logged in: one at a time can be",
                )
            if time.monotonic() + _PAUSE > end:
                raise Unreachable(
                    f"{self._web.url} does not let us in, because somebody else has been logged in "
                    f"for {self.limit}",
                    evidence={"host": self.host, "limit": float(self.limit)},
                    hint="log out there, or give it more time by 'limit'",
                )
            time.sleep(_PAUSE)
        return page

    def _post(self, path: str, **form: str) -> str:
        return self._web.fetch("POST", path, _FORM, urlencode(form).encode()).text

    def _state(self, page: str) -> PowerState | None:
        """Return the socket's state in a page, or in the one that has it; None when we are logged out."""
        if not _STATES.search(page):
            page = self._overview()
        found = _STATES.search(page)
        if found is None and self._is_inside(page):
            raise LabError(
                f"{self._web.url} tells no states of its sockets: {shown(page)}",
                evidence={"host": self.host, "page": page[:1000]},
                hint="is that an EnerGenie strip?",
            )
        return None if found is None else "on" if found[self.socket] == "1" else "off"

    def _overview(self) -> str:
        return self._web.fetch("GET", "/energenie.html").text

    @staticmethod
    def _is_inside(page: str) -> bool:
        return bool(_INSIDE.search(page) or _STATES.search(page))
