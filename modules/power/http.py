"""A plug or relay that is switched by requests to its web server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlencode

from runner.api import (
    Driver,
    Duration,
    FilePath,
    LabError,
    Misfit,
    Needs,
    Power,
    PowerReading,
    PowerState,
    Secret,
    arg,
)
from runner.api.json_path import at_path, parsed, shown
from runner.api.web import Web
from runner.modules.power.http_presets import PRESETS
from runner.modules.power.http_requests import ReadRequest, Request, Requests, StateRequest, wrong_url

_WORDS: dict[object, PowerState] = {
    "on": "on",
    "1": "on",
    "true": "on",
    "off": "off",
    "0": "off",
    "false": "off",
}
_QUANTITIES = ("voltage", "current", "power")


class Http(Driver, Power):
    """A plug or relay that is switched by requests to its web server.

    A `preset` knows the requests; each of them can be said otherwise. With neither a preset nor
    `tell_state` its state cannot be read back, and nobody notices a relay that sticks. The
    connection stays open between the steps where the plug lets it.

    Presets: `shelly_gen1` (Shelly API reference, "/relay"), `shelly_gen2` (Shelly API reference,
    "Switch"; also for generations 3 and 4), `tasmota` (Tasmota documentation, "Web Requests").
    None of them has been tried on hardware yet; they are tested against emulated plugs.

    Example::

        devices:
          power: {driver: http, url: "http://10.0.0.17", preset: shelly_gen2}
          lamp:
            driver: http
            url: http://10.0.0.18
            turn_on: /outlet/3/on
            turn_off: {path: /outlet/3, method: PUT, json: {on: false}}
            tell_state: {path: /outlet/3, value: relay.on}
    """

    url: str = arg(help="its web server: http://ADDRESS or https://ADDRESS")
    preset: Literal["shelly_gen1", "shelly_gen2", "tasmota"] | None = arg(
        default=None, help="which kind of plug it is, for its requests"
    )
    outlet: int | None = arg(
        default=None,
        help="which of its relays, for a preset; as the plug counts: Shelly from 0, Tasmota from 1",
        minimum=0,
    )
    turn_on: Request | None = arg(default=None, help="the request that switches it on")
    turn_off: Request | None = arg(default=None, help="the request that switches it off")
    tell_state: StateRequest | None = arg(default=None, help="the request that tells its state")
    tell_reading: ReadRequest | None = arg(default=None, help="the request that tells what it measures")
    user: str = arg(default="", help="the user's name; empty: nothing is said")
    password: Secret = arg(default=Secret(""), help="the user's password", secret=True)
    auth: Literal["auto", "basic", "digest"] = arg(
        default="auto",
        help="how it is said who we are: as the plug asks for it; basic: at once, without being asked",
    )
    ca: FilePath | None = arg(
        default=None, help="the certificates that are trusted (PEM), instead of the system's"
    )
    insecure: bool = arg(default=False, help="true: do not look at the plug's certificate")
    limit: Duration = arg(default=Duration("10s"), help="how long the plug may take to connect and to answer")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is wrong with the URL, and which requests are missing."""
        if wrong := wrong_url(given.get("url", "http://x")):
            yield Misfit("url", wrong)
        if given.get("url", "").startswith("http:") and (given.get("ca") or given.get("insecure")):
            yield Misfit("url", f"{given['url']!r} is not encrypted, so no certificate is looked at")
        missing = [name for name in ("turn_on", "turn_off") if name in given and given[name] is None]
        if missing and "preset" in given and not given["preset"]:
            hint = f"write them, or one of preset: {', '.join(PRESETS)}"
            yield Misfit(missing[0], "a plug without a preset needs the requests turn_on and turn_off", hint)

    def needs(self) -> Needs:
        """Return the plug's URL."""
        return Needs(nodes=(self.url,))

    def open(self) -> None:
        """Get ready; the first use connects."""
        self._requests = self._chosen()
        by_query = self.preset == "tasmota" and self.user
        self._unsaid = "&" + urlencode({"user": self.user, "password": self.password}) if by_query else ""
        self._web = Web(
            url=self.url.rstrip("/"),
            limit=self.limit,
            user="" if by_query else self.user,
            password="" if by_query else str(self.password),
            auth=self.auth,
            ca=self.ca,
            insecure=self.insecure,
        )

    def close(self) -> None:
        """End the connection; the plug stays as it is."""
        self._web.close()

    def on(self) -> None:
        """Send the request that switches it on."""
        self._ask(self._requests.turn_on)

    def off(self) -> None:
        """Send the request that switches it off."""
        self._ask(self._requests.turn_off)

    def state(self) -> PowerState | None:
        """Ask for its state; None when there is no request for that."""
        asked = self._requests.tell_state
        if asked is None:
            return None
        answer = self._ask(asked)
        found = self._found(asked, answer)
        if asked.on_value is not None and found == asked.on_value:
            return "on"
        if asked.off_value is not None and found == asked.off_value:
            return "off"
        state = _WORDS.get(str(found).strip().lower())
        if state is None:
            raise LabError(
                f"{self._web.url}{asked.path} tells {found!r}, which is neither on nor off",
                evidence={"url": self._web.url + asked.path, "answer": answer[:1000]},
                hint="'on_value' and 'off_value' of 'tell_state' say what its words mean",
            )
        return state

    def read(self) -> PowerReading | None:
        """Ask for what it measures; None when there is no request for that, or it has no meter."""
        asked = self._requests.tell_reading
        if asked is None:
            return None
        answer = self._ask(asked)
        found = {name: self._number(asked, answer, getattr(asked, name)) for name in _QUANTITIES}
        return None if all(value is None for value in found.values()) else PowerReading(**found)

    def label(self) -> str:
        """Return the plug's address and the path that switches it on: it names the outlet."""
        return f"{self._web.url}{self._requests.turn_on.path}"

    def _chosen(self) -> Requests:
        names = ("turn_on", "turn_off", "tell_state", "tell_reading")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.preset:
            return replace(PRESETS[self.preset](self.outlet), **given)
        return Requests(**given)

    def _ask(self, request: Request) -> str:
        method, headers, body = request.message()
        answer = self._web.fetch(method, request.path, headers, body, unsaid=self._unsaid).text
        if not re.search(request.answers, answer):
            raise self._wrong(request, answer, f"answers {shown(answer)}, expected {request.answers!r} in it")
        return answer

    def _found(self, asked: StateRequest, answer: str) -> object:
        if not asked.pattern:
            return self._at(asked, answer, asked.value) if asked.value else answer.strip()
        match = re.search(asked.pattern, answer)
        if match is None or not match.groups():
            raise self._wrong(asked, answer, f"answers {shown(answer)}, expected {asked.pattern!r} in it")
        return match[1]

    def _at(self, asked: Request, answer: str, path: str) -> object:
        """Return what is at a path of the answer; raise LabError when nothing is."""
        try:
            return at_path(parsed(answer), path)
        except ValueError as error:
            raise self._wrong(asked, answer, f"answers what {error}") from error
        except LookupError as error:
            raise self._wrong(asked, answer, f"answers with {error.args[0]}") from error

    def _number(self, asked: ReadRequest, answer: str, path: str) -> float | None:
        if not path or (asked.optional and not self._has(asked, answer, path)):
            return None
        found = self._at(asked, answer, path)
        try:
            return float(found)  # type: ignore[arg-type] # anything that JSON can hold
        except (TypeError, ValueError) as error:
            raise self._wrong(asked, answer, f"tells {found!r} at {path!r}, which is no number") from error

    def _has(self, asked: Request, answer: str, path: str) -> bool:
        self._at(asked, answer, "")
        try:
            return at_path(parsed(answer), path) is not None
        except LookupError:
            return False

    def _wrong(self, asked: Request, answer: str, what: str) -> LabError:
        return LabError(
            f"{self._web.url}{asked.path} {what}",
            evidence={"url": self._web.url + asked.path, "answer": answer[:1000]},
        )
