"""Call a method over D-Bus."""

from __future__ import annotations

from typing import Any

from runner.api import Context, Duration, MessageBus, Module, Result, arg, device
from runner.modules.dbus.introspection import method_signature


class Called(Result):
    """What the method answered."""

    reply: tuple[Any, ...]
    """Every value of the answer."""
    value: Any
    """The first one, null when there is none."""


class DbusCall(Module):
    """Call a method of an object on a D-Bus message bus.

    The types of the arguments are those that the object itself names; `signature` says them where it
    does not. An error that the service answers with fails the step, with its name.

    Example::

        - dbus_call:
            service: org.freedesktop.systemd1
            path: /org/freedesktop/systemd1
            interface: org.freedesktop.systemd1.Manager
            method: RestartUnit
            args: [sensor.service, replace]
    """

    limited_by = "timeout"
    reads_when = "read_only"

    service: str = arg(help="the name of who offers it, on the bus")
    path: str = arg(help="which of its objects")
    interface: str = arg(help="the interface that the method belongs to")
    method: str = arg(help="the method")
    args: list[Any] = arg(default=[], help="its arguments")
    signature: str | None = arg(
        default=None, help='their types, as in "sa{sv}"; left out: it is asked for them'
    )
    read_only: bool = arg(default=False, help="it changes nothing: it is called under --check, too")
    timeout: Duration = arg(default=Duration("25s"), help="how long it may take")
    bus: MessageBus = device(help="the bus")

    def run(self, context: Context) -> Called:
        """Call it; signals are looked at from here on."""
        del context
        self.bus.connect()
        signature = self.signature
        if signature is None:
            signature = ""
            if self.args:
                signature = method_signature(
                    self.bus, self.service, self.path, self.interface, self.method, self.timeout
                )
        self.bus.asked_at = self.bus.signals().latest()
        reply = self.bus.call(
            self.service,
            self.path,
            self.interface,
            self.method,
            signature=signature,
            args=self.args,
            timeout=self.timeout,
        )
        return Called(reply=reply, value=reply[0] if reply else None)
