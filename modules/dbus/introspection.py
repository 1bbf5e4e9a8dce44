"""What an object on a bus says about itself (D-Bus Specification, "Introspection Data Format")."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from runner.api import Failed, MessageBus, RecipeFault

_INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"


def method_signature(
    bus: MessageBus, service: str, path: str, interface: str, method: str, timeout: float
) -> str:
    """Return the signature of a method's arguments; raise RecipeFault when the object has no such method."""
    found = _members(bus, service, path, interface, "method", method, timeout)
    return "".join(
        each.get("type", "") for each in found.findall("arg") if each.get("direction", "in") == "in"
    )


def property_signature(
    bus: MessageBus, service: str, path: str, interface: str, name: str, timeout: float
) -> str:
    """Return the type of a property; raise RecipeFault when the object has no such property."""
    return _members(bus, service, path, interface, "property", name, timeout).get("type", "")


def _members(
    bus: MessageBus, service: str, path: str, interface: str, kind: str, name: str, timeout: float
) -> ET.Element:
    (text,) = bus.call(service, path, _INTROSPECTABLE, "Introspect", signature="", args=(), timeout=timeout)
    try:
        root = ET.fromstring(text)  # noqa: S314 - of a service that the recipe calls
    except ET.ParseError as error:
        raise Failed(f"{service}{path} describes itself with what is no XML: {error}") from error
    interfaces = {each.get("name", ""): each for each in root.findall("interface")}
    if interface not in interfaces:
        raise RecipeFault(
            f"{service}{path} has no interface {interface!r}", hint=f"it has: {', '.join(interfaces)}"
        )
    members = {each.get("name", ""): each for each in interfaces[interface].findall(kind)}
    if name not in members:
        raise RecipeFault(
            f"{interface} of {service}{path} has no {kind} {name!r}",
            hint=f"it has: {', '.join(members) or 'none'}; 'signature' calls it without asking",
        )
    return members[name]
