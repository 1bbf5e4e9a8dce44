"""Reach a port of the lab from here, or of here from the lab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Misfit, Module, RecipeFault, Result, arg, names_device, read_address


class Forwarded(Result):
    """Where connections are accepted now, and where they lead."""

    address: str
    """``host:port`` that can be connected to, or the path of a socket."""
    host: str
    """The host of `address`; empty for a socket."""
    port: int | None
    """The port of `address`; nothing for a socket."""
    to: str
    """Where connections lead, as it was asked for."""


class PortForward(Module):
    """Carry connections to this machine on to a port that the bench's host can reach, until the test ends.

    Opened in a play's `setup`, or by a step of a play without `tests`, it stays until the play
    ends. Addresses are a port (`8080`), `host:port` (`10.0.0.5:80`, `[::1]:80`), or the path of
    a Unix socket (`/run/board.sock`); or it leads to a device of the network (`tcp`, `unix`,
    `websocket`) by its name. The bytes travel within the connection to the agent: the
    host's SSH server need not allow forwarding, and consoles go first. What cannot be
    connected to is told for each connection, not when the forward is opened. `state: stopped` ends
    those that lead to `to`, or listen there, with all connections that they carry.

    Example::

        - port_forward: 8080
          register: web
        - port_forward: {to: "10.0.0.5:80", listen: 127.0.0.1:8000}
        - port_forward: monitor   # a device of the bench
        - port_forward: {to: 127.0.0.1:9000, listen: 9000, reverse: true}
        - port_forward: {to: "{{ web.address }}", state: stopped}
    """

    runs_on = "controller"
    unconfined = True

    to: str = arg(
        primary=True, help="where connections lead: a port, host:port, a socket's path, or a device"
    )
    listen: str = arg(
        default="", help="where they are accepted, in the same form; empty: a free port of 127.0.0.1"
    )
    reverse: bool = arg(
        default=False, help="accept them on the bench's host, and lead to what this machine reaches"
    )
    state: Literal["started", "stopped"] = arg(default="started", help="stopped: end it before its test ends")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what only one that is opened has, and what is no address."""
        for name in ("listen", "reverse"):
            if given.get("state") == "stopped" and given.get(name):
                yield Misfit(name, f"'{name}' belongs to one that is started", "leave it out")
        to = given.get("to")
        if to is not None and not (cls.leads_to(given) and names_device(to)):
            yield from _no_address("to", to)
        if given.get("listen"):
            yield from _no_address("listen", given["listen"])

    @classmethod
    def leads_to(cls, given: Mapping[str, Any]) -> str:
        """Say so of `to`, unless it is reached from this machine, which has no devices."""
        return "" if given.get("reverse") else "to"

    def run(self, context: Context) -> Forwarded:
        """Open it, and say where; or end it."""
        if self.state == "stopped":
            context.unforward(self.to)
            return Forwarded(address=self.to, host="", port=None, to=self.to)
        address = context.forward(self.to, listen=self.listen, reverse=self.reverse)
        side = "the host" if self.reverse else "this machine"
        context.log(f"{address} of {side} leads to {self.to}")
        host, _, port = ("", "", "") if "/" in address else address.rpartition(":")
        return Forwarded(address=address, host=host.strip("[]"), port=int(port) if port else None, to=self.to)


def _no_address(name: str, text: str) -> Iterable[Misfit]:
    try:
        read_address(text)
    except RecipeFault as fault:
        yield Misfit(name, fault.message, fault.hint)
