"""Requests to a plug's web server, as an inventory says them."""

from __future__ import annotations

import json as json_
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from runner.api import Misfit, Options, arg


class Request(Options):
    """A request, and what its answer must hold."""

    path: str = arg(primary=True, help="the path, with its query: /relay/0?turn=on")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = arg(
        default=None, help="the method; left out: GET, and POST with a form, json or body"
    )
    headers: dict[str, str] = arg(default={}, help="more headers")
    form: dict[str, str] = arg(default={}, help="fields of a form, sent as a page would send them")
    json: Any = arg(default=None, help="what is sent as JSON")
    body: str = arg(default="", help="what is sent as it stands")
    answers: str = arg(
        default="", help="a regular expression that must be found in the answer; empty: any answer will do"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no path or no regular expression, and which body is one too many."""
        if not given["path"].startswith("/"):
            yield Misfit(
                "path",
                f"{given['path']!r} is no path: it begins with /",
                "a path begins with /, and the host belongs to 'url'",
            )
        bodies = [name for name in ("form", "json", "body") if given.get(name) not in (None, {}, "")]
        if len(bodies) > 1:
            yield Misfit(bodies[1], f"a request has a {' or a '.join(bodies)}, and one of them only")
        for name in ("answers", "pattern"):
            try:
                re.compile(given.get(name, ""))
            except re.error as error:
                yield Misfit(name, f"{given[name]!r} is no regular expression: {error}")

    def message(self) -> tuple[str, dict[str, str], bytes | None]:
        """Return method, headers and body."""
        if self.form:
            return self._with("application/x-www-form-urlencoded", urlencode(self.form))
        if self.json is not None:
            return self._with("application/json", json_.dumps(self.json))
        if self.body:
            return self._with("text/plain; charset=utf-8", self.body)
        return self.method or "GET", dict(self.headers), None

    def _with(self, kind: str, body: str) -> tuple[str, dict[str, str], bytes | None]:
        return self.method or "POST", {"Content-Type": kind, **self.headers}, body.encode()


class StateRequest(Request):
    """A request whose answer holds the state."""

    value: str = arg(
        default="", help="where it is in the JSON: relays.0.ison; empty: the answer is the state itself"
    )
    pattern: str = arg(
        default="",
        help="instead of `value`, for answers that are no JSON: a regular expression with the "
        "state in its first group",
    )
    on_value: str | int | bool | None = arg(
        default=None, help="what stands there when it is on, where it is not on, true or 1"
    )
    off_value: str | int | bool | None = arg(
        default=None, help="what stands there when it is off, where it is not off, false or 0"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is wrong with the request, and with where the state is."""
        wrong = list(super().misfits(given))
        yield from wrong
        if given.get("pattern") and given.get("value"):
            yield Misfit("pattern", "the state is found by value or by pattern, not by both")
        if given.get("pattern") and not wrong and not re.compile(given["pattern"]).groups:
            yield Misfit("pattern", f"{given['pattern']!r} has no group around the state", "write (on|off)")


class ReadRequest(Request):
    """A request whose answer holds measured values, as JSON; what has no path is not measured."""

    voltage: str = arg(default="", help="where the voltage is, in volts: StatusSNS.ENERGY.Voltage")
    current: str = arg(default="", help="where the current is, in amperes")
    power: str = arg(default="", help="where the power is, in watts")
    optional: bool = arg(
        default=False, help="whether it may be that nothing is measured: some models have no meter"
    )


@dataclass(frozen=True)
class Requests:
    """The requests of one outlet of a plug."""

    turn_on: Request
    turn_off: Request
    tell_state: StateRequest | None = None
    tell_reading: ReadRequest | None = None


def wrong_url(url: str) -> str:
    """Say why a plug cannot have this URL; empty when it can.

    >>> wrong_url("http://10.0.0.17"), wrong_url("10.0.0.17")
    ('', "'10.0.0.17' is no URL of a plug: write http://ADDRESS")
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"{url!r} is no URL of a plug: write http://ADDRESS"
    if parts.path.strip("/") or parts.query:
        return f"{url!r}: the path belongs to the requests"
    if "@" in parts.netloc:
        return "who one is does not belong into a URL: write user and password"
    try:
        _ = parts.port
    except ValueError as error:
        return f"{url!r}: {error}"
    return ""
