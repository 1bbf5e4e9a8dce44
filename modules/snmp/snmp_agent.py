"""Any SNMP agent: its managed objects, for snmp_get, snmp_set and snmp_walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.api import Driver, Duration, Misfit, Needs, Secret, arg
from runner.api.snmp import ManagedObject, ManagedObjects
from runner.modules.snmp.client import Agent, Client
from runner.modules.snmp.security import Authentication, Privacy, Security, Version

_ASKS_AS = {
    "version": "version",
    "community": "community",
    "user": "user",
    "auth_protocol": "authentication",
    "auth_key": "authentication_key",
    "priv_protocol": "privacy",
    "priv_key": "privacy_key",
}
"""The options that say who asks, and what Security calls them."""


class SnmpAgent(Driver, ManagedObjects):
    """An SNMP agent (RFC 3411 to 3418): a power strip, a switch, a sensor, the board itself.

    Version 3 with every protocol that pysnmp knows. `aes192` and `aes256` are those of Cisco's
    units; most others mean the Blumenthal ones. All were tried with net-snmp's agent but `3des`,
    which it does not have. Privacy needs the Python library cryptography on the bench's
    host (Debian: python3-cryptography).

    Example::

        devices:
          switch: {driver: snmp_agent, host: switch1.lab, version: 2c, community: !env COMMUNITY}
    """

    host: str = arg(help="its name or address")
    port: int = arg(default=161, help="its UDP port", minimum=1, maximum=65535)
    version: Version = arg(default=3, help="of the protocol")
    community: Secret = arg(default=Secret(""), help="the word that versions 1 and 2c ask for", secret=True)
    user: str = arg(default="", help="who asks, in version 3")
    auth_protocol: Authentication = arg(default="none", help="how requests are signed, in version 3")
    auth_key: Secret = arg(default=Secret(""), help="the passphrase for that", secret=True)
    priv_protocol: Privacy = arg(default="none", help="how requests are encrypted, in version 3")
    priv_key: Secret = arg(default=Secret(""), help="the passphrase for that", secret=True)
    context: str = arg(default="", help="the context's name, in version 3, where a unit has several")
    timeout: Duration = arg(
        default=Duration("10s"), help="how long it may take to answer; each try has its part of it"
    )
    tries: int = arg(default=2, help="how often a request is sent when no answer comes", minimum=1)

    def needs(self) -> Needs:
        """Return the agent's address, and the library that encrypts."""
        encrypts = {"cryptography": "python3-cryptography"} if self.priv_protocol != "none" else {}
        return Needs(nodes=(str(self._agent()),), libraries=encrypts)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is missing or too much for this version."""
        if given.keys() >= _ASKS_AS.keys():
            yield from _security(given).misfits()

    def open(self) -> None:
        """Look the host up; raise Unreachable when there is none. The agent is asked when it is needed."""
        self._client = Client(self._agent(), self._security())
        self._client.open()

    def close(self) -> None:
        """Close the socket."""
        self._client.close()

    def get(self, oids: Sequence[str]) -> tuple[ManagedObject, ...]:
        """Read objects with one request."""
        return self._client.get(oids)

    def set(self, objects: Sequence[ManagedObject]) -> None:
        """Write objects with one request."""
        self._client.set(objects)

    def following(self, oid: str, most: int) -> tuple[ManagedObject, ...]:
        """Read up to `most` objects that come after `oid`."""
        return self._client.following(oid, most)

    def agent(self) -> str:
        """Return its address."""
        return str(self._agent())

    def _agent(self) -> Agent:
        return Agent(self.host, self.port, self.timeout, self.tries, self.context)

    def _security(self) -> Security:
        return _security({option: getattr(self, option) for option in _ASKS_AS})


def _security(options: Mapping[str, Any]) -> Security:
    return Security(**{field: options[option] for option, field in _ASKS_AS.items()})
