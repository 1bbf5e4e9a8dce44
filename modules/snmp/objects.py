"""Managed objects as pysnmp has them, and as recipes see them (RFC 2578, section 7.1)."""

from __future__ import annotations

from typing import Any

from runner.api import ByteString, RecipeFault
from runner.api.snmp import ManagedObject, ObjectType, plain_oid

_CLASSES: dict[ObjectType, str] = {
    "integer": "Integer32",
    "unsigned": "Unsigned32",
    "counter32": "Counter32",
    "counter64": "Counter64",
    "timeticks": "TimeTicks",
    "string": "OctetString",
    "hex": "OctetString",
    "oid": "ObjectIdentifier",
    "ipaddress": "IpAddress",
    "opaque": "Opaque",
    "null": "Null",
}
_TYPES: dict[str, ObjectType] = {name: kind for kind, name in _CLASSES.items() if kind != "hex"}
_TYPES.update(Integer="integer", Gauge32="unsigned", ObjectName="oid", Bits="hex")
_OCTETS = ("string", "hex", "opaque")
_NUMBERS = ("integer", "unsigned", "counter32", "counter64", "timeticks")


def from_pysnmp(name: Any, value: Any) -> ManagedObject:
    """Return an object as recipes see it."""
    kind = _TYPES.get(type(value).__name__, "opaque")
    if kind in _OCTETS:
        return _octets(str(name), kind, bytes(value))
    if kind in _NUMBERS:
        return ManagedObject(oid=str(name), type=kind, value=int(value))
    return ManagedObject(oid=str(name), type=kind, value="" if kind == "null" else value.prettyPrint())


def to_pysnmp(written: ManagedObject) -> Any:
    """Return an object for a request; raise RecipeFault when the value does not fit the type."""
    from pysnmp.proto import rfc1902
    from pysnmp.smi.rfc1902 import ObjectIdentity, ObjectType

    try:
        value = getattr(rfc1902, _CLASSES[written.type])(_content(written))
    except Exception as error:  # pyasn1 and pysnmp raise errors of many kinds for a value
        raise RecipeFault(
            f"{written.value!r} is no {written.type}, to which {written.oid} is to be set",
            hint="'type' says how it is written",
        ) from error
    return ObjectType(ObjectIdentity(plain_oid(written.oid)), value)


def _octets(oid: str, kind: ObjectType, octets: bytes) -> ManagedObject:
    """Show octets as text when they are some, else as hexadecimal pairs."""
    if kind == "string":
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            text = "\0"
        if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
            return ManagedObject(oid=oid, type="string", value=text)
    shown: ObjectType = "hex" if kind == "string" else kind
    return ManagedObject(oid=oid, type=shown, value=str(ByteString(octets)))


def _content(written: ManagedObject) -> Any:
    match written.type:
        case "hex" | "opaque":
            return bytes(ByteString(str(written.value)))
        case "string":
            return str(written.value).encode()
        case "oid":
            return plain_oid(str(written.value))
        case "ipaddress":
            return str(written.value)
        case "null":
            return ""
        case _:
            return int(written.value)
