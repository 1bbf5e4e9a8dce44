"""A D-Bus message bus of the bench's host, through the library jeepney."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import contextmanager
from typing import Any

from runner.api import (
    BusSignal,
    Driver,
    Duration,
    Failed,
    MessageBus,
    Needs,
    Record,
    TimedOut,
    Unreachable,
    Verdict,
    arg,
)
from runner.modules.dbus.router import Router
from runner.modules.dbus.values import body, from_bus, split

_ERROR = 3
"""The type of a message that is an error (D-Bus Specification, "Message Types")."""


class Dbus(Driver, MessageBus):
    """A D-Bus message bus of the bench's host: of the system, of the session, or at an address.

    It is connected to by the first step that uses it. From then on every signal is recorded, so that
    one that comes before the step that waits for it is found.

    Example::

        devices:
          bus: {driver: dbus, bus: system}
    """

    private = True

    bus: str = arg(
        default="system", primary=True, help="system, session, or an address: unix:path=/run/lab/bus"
    )
    record: int = arg(default=4096, help="how many signals are kept", minimum=1)
    limit: Duration = arg(default=Duration("10s"), help="how long connecting may take")

    def needs(self) -> Needs:
        """Return the socket, where it is named."""
        path = self.bus.partition("unix:path=")[2].partition(",")[0]
        return Needs(nodes=(path,) if path else ())

    def open(self) -> None:
        """Get ready; the first use connects."""
        self._router: Router | None = None
        self._lock = threading.Lock()
        self._record: Record[BusSignal] = Record(self.record, self.where())

    def close(self) -> None:
        """End the connection."""
        if self._router is not None:
            self._router.close()

    def connect(self) -> None:
        """Connect and ask for every signal, unless that was done."""
        self._connected()

    def call(
        self,
        service: str,
        path: str,
        interface: str,
        method: str,
        *,
        signature: str,
        args: Sequence[Any],
        timeout: float,
    ) -> tuple[Any, ...]:
        """Call a method and return what it answers."""
        from jeepney import DBusAddress, new_method_call

        router = self._connected()
        address = DBusAddress(path, bus_name=service, interface=interface)
        message = new_method_call(address, method, signature or None, body(signature, args))
        what = f"{interface}.{method} of {service}{path}"
        with self._translated(what, timeout):
            reply = router.ask(message, timeout)
        return self._answer(reply, what)

    def signals(self) -> Record[BusSignal]:
        """Return the record of signals."""
        return self._record

    def where(self) -> str:
        """Return which bus it is."""
        return f"D-Bus {self.bus}"

    def _connected(self) -> Router:
        with self._lock:
            if self._router is None:
                self._router = self._connect()
            return self._router

    def _connect(self) -> Router:
        from jeepney import MatchRule, message_bus
        from jeepney.io.threading import open_dbus_connection

        name = self.bus.upper() if self.bus in ("system", "session") else self.bus
        try:
            connection = open_dbus_connection(name, auth_timeout=float(self.limit))
        except (OSError, RuntimeError, ValueError, KeyError, EOFError) as error:
            why = error if str(error) else type(error).__name__
            raise Unreachable(f"{self.where()}: cannot connect: {why}", hint=_hint(self.bus)) from error
        router = Router(connection, self.where(), self._take, self._record.end)
        try:
            with self._translated("AddMatch", float(self.limit)):
                router.ask(message_bus.AddMatch(MatchRule(type="signal")), float(self.limit))
        except Verdict:
            router.close()
            raise
        return router

    def _take(self, message: Any) -> None:
        fields = _fields(message)
        self._record.add(
            BusSignal(
                sender=fields.get("sender", ""),
                path=fields.get("path", ""),
                interface=fields.get("interface", ""),
                member=fields.get("member", ""),
                args=_plain(message),
            )
        )

    @contextmanager
    def _translated(self, what: str, timeout: float) -> Iterator[None]:
        try:
            yield
        except (TimeoutError, NoAnswer) as error:
            raise TimedOut(
                f"{self.where()}: {what} has not answered within {timeout:g}s",
                evidence={"limit": timeout},
                hint="give it more time with 'timeout'",
            ) from error

    def _answer(self, reply: Any, what: str) -> tuple[Any, ...]:
        if reply.header.message_type.value != _ERROR:
            return _plain(reply)
        name = _fields(reply).get("error_name", "")
        said = next((each for each in reply.body if isinstance(each, str)), "")
        raise Failed(
            f"{self.where()}: {what}: {name}" + (f": {said}" if said else ""),
            evidence={"error": name, "message": said},
        )


def _fields(message: Any) -> dict[str, str]:
    return {field.name: value for field, value in message.header.fields.items()}


def _plain(message: Any) -> tuple[Any, ...]:
    kinds = split(_fields(message).get("signature", ""))
    return tuple(from_bus(kind, value) for kind, value in zip(kinds, message.body, strict=True))


def _hint(bus: str) -> str:
    if bus == "session":
        return "the host's user needs DBUS_SESSION_BUS_ADDRESS, or name the bus with unix:path=…"
    return ""
