"""Make sure that a device is there and can do what is needed."""

from __future__ import annotations

import typing

from runner.api import Context, Duration, Interface, Module, Power, Result, Unsupported, arg, device
from runner.api.switching import Outlet


class Answered(Result):
    """A device that is there."""

    capabilities: tuple[str, ...]
    """What it offers, itself and by its parts."""


class AssertDevice(Module):
    """Open a device, and fail unless it is there and offers what is needed.

    Whatever is missing is an error of the lab. A power switch is asked for its state, too: some
    are reached only by that.

    Example::

        - assert_device: {device: board, capabilities: [Power, Console]}
        - assert_device: {device: pdu, capabilities: Power, within: 5s}
    """

    reads_only = True

    capabilities: list[str] | str = arg(
        default=[], primary=True, help="interfaces that it, or a part of it, must offer"
    )
    within: Duration = arg(default=Duration("30s"), help="how long a power switch may take to answer")
    instrument: Interface = device(help="the device, by any of its names")

    def run(self, context: Context) -> Answered:
        """Look at what was opened."""
        wanted = [self.capabilities] if isinstance(self.capabilities, str) else self.capabilities
        offered = _offered(type(self.instrument))
        missing = [each for each in wanted if _plain(each) not in map(_plain, offered)]
        if missing:
            name = context.devices.get("instrument", "instrument")
            raise Unsupported(
                f"{name!r} on bench {context.bench!r} does not offer {', '.join(missing)}: "
                f"it offers {', '.join(offered) or 'nothing'}",
                evidence={"missing": missing, "offered": list(offered)},
            )
        if isinstance(self.instrument, Power):
            Outlet(self.instrument, context, within=self.within, slot="instrument").state()
        return Answered(capabilities=offered)


def _offered(cls: type) -> tuple[str, ...]:
    """Return the interfaces of a class and of its parts."""
    own = {base.__name__ for base in cls.__mro__ if Interface in base.__bases__}
    for name in dir(cls):
        method = getattr(cls, name, None)
        if getattr(method, "__runner_child__", False):
            part = typing.get_type_hints(method).get("return")
            own |= set(_offered(part)) if isinstance(part, type) else set()
    return tuple(sorted(own))


def _plain(name: str) -> str:
    """Return a name as ``StorageMux`` and ``storage_mux`` have it in common."""
    return name.replace("_", "").lower()
