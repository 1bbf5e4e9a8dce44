"""pysnmp's engine, made so that it also works where its library was sent to and is in no file."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

_WHERE = ("pysnmp.smi.mibs.instances", "pysnmp.smi.mibs")
"""Packages of the MIBs that pysnmp itself needs, in the order in which it looks."""


def snmp_engine() -> Any:
    """Return a new SnmpEngine of pysnmp (version 7); to be called in the loop that it is to live in."""
    from pysnmp.hlapi.v3arch.asyncio import SnmpEngine
    from pysnmp.proto.rfc3412 import MsgAndPduDispatcher
    from pysnmp.smi.instrum import MibInstrumController

    return SnmpEngine(msgAndPduDsp=MsgAndPduDispatcher(MibInstrumController(_builder())))


def _builder() -> Any:
    """Return a MIB builder that finds MIBs by importing, where pysnmp's own looks for files beside it."""
    from pysnmp.smi.builder import MibBuilder
    from pysnmp.smi.error import MibNotFoundError

    loaded: set[str] = set()

    class ImportingBuilder(MibBuilder):  # type: ignore[misc]  # pysnmp has no types
        def load_module(self, name: str, **context: Any) -> Any:
            """Run the Python code of a MIB once, which adds its objects to this builder."""
            if name in loaded:
                return self
            code = _code(name)
            if code is None:
                raise MibNotFoundError(f"no MIB {name!r} in {' or '.join(_WHERE)}")
            loaded.add(name)
            exec(code, {"mibBuilder": self, "userCtx": context})  # noqa: S102 - this is how pysnmp loads MIBs
            return self

    return ImportingBuilder()


def _code(name: str) -> Any:
    for package in _WHERE:
        spec = importlib.util.find_spec(f"{package}.{name}")
        get_code: Callable[[str], Any] | None = getattr(spec and spec.loader, "get_code", None)
        if spec is not None and get_code is not None:
            return get_code(spec.name)
    return None
