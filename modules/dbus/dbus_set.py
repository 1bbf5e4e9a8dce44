"""Write a property over D-Bus."""

from __future__ import annotations

from typing import Any

from runner.api import Context, Duration, MessageBus, Module, Result, arg, device
from runner.modules.dbus.dbus_get import PROPERTIES
from runner.modules.dbus.introspection import property_signature
from runner.modules.dbus.values import Typed, to_bus


class PropertySet(Result):
    """What the property was, and is."""

    before: Any
    value: Any
    changed: bool


class DbusSet(Module):
    """Write a property of an object on a D-Bus message bus, and read it back.

    Example::

        - dbus_set:
            service: com.example.Lamp
            path: /com/example/lamp
            interface: com.example.Lamp
            property: Brightness
            value: 80
    """

    limited_by = "timeout"

    service: str = arg(help="the name of who offers it, on the bus")
    path: str = arg(help="which of its objects")
    interface: str = arg(help="the interface that the property belongs to")
    property: str = arg(help="the property")
    value: Any = arg(help="what it is to be")
    signature: str | None = arg(default=None, help="its type; left out: the object is asked for it")
    timeout: Duration = arg(default=Duration("25s"), help="how long each call may take")
    bus: MessageBus = device(help="the bus")

    def predict(self, context: Context) -> str:
        """Read it, and say whether it would change."""
        del context
        before = self._get()
        if before == self.value:
            return f"would leave {self.property} as it is: {before!r}"
        return f"would set {self.property} from {before!r} to {self.value!r}"

    def run(self, context: Context) -> PropertySet:
        """Read, write, and read back."""
        del context
        before = self._get()
        kind = self.signature or property_signature(
            self.bus, self.service, self.path, self.interface, self.property, self.timeout
        )
        self.bus.asked_at = self.bus.signals().latest()
        self.bus.call(
            self.service,
            self.path,
            PROPERTIES,
            "Set",
            signature="ssv",
            args=[self.interface, self.property, Typed(kind, to_bus(kind, self.value))],
            timeout=self.timeout,
        )
        value = self._get()
        return PropertySet(before=before, value=value, changed=value != before)

    def _get(self) -> Any:
        args = [self.interface, self.property]
        (value,) = self.bus.call(
            self.service, self.path, PROPERTIES, "Get", signature="ss", args=args, timeout=self.timeout
        )
        return value
