"""Requests to a plug's web server, as an inventory says them."""

from __future__ import annotations

import json as json_
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from runner.api import Options, RecipeFault, arg


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

    def message(self) -> tuple[str, dict[str, str], bytes | None]:
        """Return method, headers and body; raise RecipeFault for more than one body."""
        bodies: list[tuple[str, bytes]] = []
        if self.form:
            bodies.append(("application/x-www-form-urlencoded", urlencode(self.form).encode()))
        if self.json is not None:
            bodies.append(("application/json", json_.dumps(self.json).encode()))
        if self.body:
            bodies.append(("text/plain; charset=utf-8", self.body.encode()))
        if len(bodies) > 1:
            raise RecipeFault(f"{self.path}: a request has a form, json or a body, and one of them only")
        if not self.path.startswith("/"):
            raise RecipeFault(f"{self.path!r} is no path: it begins with /", hint="the host belongs to 'url'")
        if not bodies:
            return self.method or "GET", dict(self.headers), None
        kind, body = bodies[0]
        return self.method or "POST", {"Content-Type": kind, **self.headers}, body


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
