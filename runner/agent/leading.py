"""Where a forward leads: an address, or a device of the bench that is at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.agent.paths import resolved
from runner.api.address import Address, names_device
from runner.api.network import Network, NetworkAddress
from runner.api.verdicts import RecipeFault

if TYPE_CHECKING:
    from runner.agent.bench import Bench
    from runner.agent.call import Call

_CARRIED = ("tcp", "ws", "wss")


def leads_to(asked: str, bench: Bench, call: Call) -> str:
    """Return the address that was asked for, or that of the device of this name, which is opened.

    Raise RecipeFault when there is no such device, or it listens neither at a TCP port nor at a Unix
    socket.
    """
    if not names_device(asked):
        return asked
    configure = bench.configure
    if resolved(asked, configure.aliases).partition(".")[0] not in configure.devices:
        raise RecipeFault(
            f"{asked!r} is not an address, and bench {configure.bench!r} has no device of that name",
            hint="write a port, host:port, the path of a socket, or a device of the network",
        )
    found = bench.devices({"to": asked}, call.hear, call.stop)["to"]
    if not isinstance(found, Network):
        raise RecipeFault(f"device {asked!r} is none of the network, so no forward can lead to it")
    return str(_address(asked, found.address()))


def _address(device: str, at: NetworkAddress) -> Address:
    kind = at.url.partition(":")[0]
    if kind == "unix":
        return Address(path=at.path)
    if kind in _CARRIED and at.port is not None:
        return Address(host=at.host, port=at.port)
    raise RecipeFault(f"device {device!r} is {at.url}: only TCP ports and Unix sockets are forwarded")
