"""Read properties over D-Bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.api import Context, Duration, MessageBus, Module, Result, arg, device

PROPERTIES = "org.freedesktop.DBus.Properties"


class Properties(Result):
    """What was read."""

    value: Any
    """Of the property that was asked for; null when all were."""
    values: Mapping[str, Any]
    """Every property that was read, by its name."""


class DbusGet(Module):
    """Read a property of an object on a D-Bus message bus, or all properties of an interface.

    Example::

        - dbus_get:
            service: org.freedesktop.hostname1
            path: /org/freedesktop/hostname1
            interface: org.freedesktop.hostname1
            property: Hostname
          expect: result.value == 'board-7'
    """

    reads_only = True
    limited_by = "timeout"

    service: str = arg(help="the name of who offers it, on the bus")
    path: str = arg(help="which of its objects")
    interface: str = arg(help="the interface that the property belongs to")
    property: str = arg(default="", help="the property; empty: all of the interface")
    timeout: Duration = arg(default=Duration("25s"), help="how long it may take")
    bus: MessageBus = device(help="the bus")

    def run(self, context: Context) -> Properties:
        """Read it."""
        del context
        method, args = (
            ("Get", [self.interface, self.property]) if self.property else ("GetAll", [self.interface])
        )
        (found,) = self.bus.call(
            self.service,
            self.path,
            PROPERTIES,
            method,
            signature="s" * len(args),
            args=args,
            timeout=self.timeout,
        )
        values = {self.property: found} if self.property else found
        return Properties(value=found if self.property else None, values=values)
