"""An SNMP client that calls can wait for, on pysnmp's engine, which is made once and kept."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from runner.api import Duration, LabError, Unreachable, Unsupported
from runner.api.snmp import ManagedObject, plain_oid
from runner.modules.snmp import ciphers
from runner.modules.snmp.engine import snmp_engine
from runner.modules.snmp.loop import LoopThread
from runner.modules.snmp.objects import from_pysnmp, to_pysnmp
from runner.modules.snmp.refusals import STALE, absent, indicated, refused
from runner.modules.snmp.security import Security

_GRACE = 2.0
"""Seconds that pysnmp gets beyond the limit: it looks at its clock every half second."""
_ABSENT = {"NoSuchObject": "noSuchObject", "NoSuchInstance": "noSuchInstance"}
_NO_SUCH_NAME = 2

Command = Callable[..., Awaitable[tuple[Any, Any, Any, Any]]]


@dataclass(frozen=True)
class Agent:
    """Where an agent is, and how long it may take to answer: `timeout` holds for all tries together."""

    host: str
    port: int
    timeout: Duration
    tries: int
    context: str = ""

    def __str__(self) -> str:
        """Write it as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"snmp://{host}:{self.port}"


class Client:
    """Asks one agent. Its engine and socket live in a thread of their own, from `open` to `close`."""

    def __init__(self, agent: Agent, security: Security) -> None:
        """Take the agent and who asks; nothing is opened."""
        self.agent = agent
        self._security = security
        self._loop: LoopThread | None = None

    def open(self) -> None:
        """Look the host up and make the engine; raise Unreachable or Unsupported."""
        if not ciphers.available() and self._security.privacy != "none":
            raise Unsupported(
                f"privacy ({self._security.privacy}) needs the library cryptography, which is not here",
                hint="it is compiled and cannot travel: apt install python3-cryptography on the bench's host",
            )
        self._loop = LoopThread(f"SNMP {self.agent}")
        try:
            with self._translated("look it up"):
                self._call(self._begin)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket and end the thread."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.call(self._end, _GRACE)
            loop.close()

    def get(self, oids: Sequence[str]) -> tuple[ManagedObject, ...]:
        """Read objects; raise Unsupported when one is not there."""
        found = self._ask("get_cmd", f"read {', '.join(oids)}", [_read(oid) for oid in oids])
        for name, value in found:
            if type(value).__name__ in _ABSENT:
                raise absent(str(self.agent), str(name), _ABSENT[type(value).__name__])
        return tuple(from_pysnmp(name, value) for name, value in found)

    def set(self, objects: Sequence[ManagedObject], *, once: bool = False) -> None:
        """Write objects with one request; `once`: it is not sent again when no answer comes."""
        what = ", ".join(f"{each.oid} to {each.type} {each.value}" for each in objects)
        self._ask("set_cmd", f"set {what}", [to_pysnmp(each) for each in objects], once=once)

    def following(self, oid: str, most: int) -> tuple[ManagedObject, ...]:
        """Read up to `most` objects that come after an identifier; none at the end."""
        doing = f"read what follows {oid}"
        if self._security.version == 1:
            found = self._ask("next_cmd", doing, [_read(oid)], ends=True)
        else:
            found = self._ask("bulk_cmd", doing, [0, most, _read(oid)])
        return tuple(
            from_pysnmp(name, value) for name, value in found if type(value).__name__ != "EndOfMibView"
        )

    def _ask(
        self, command: str, doing: str, objects: Sequence[Any], *, once: bool = False, ends: bool = False
    ) -> Sequence[tuple[Any, Any]]:
        """Send a request; `ends`: a name that is not there means that there is nothing more."""
        with self._translated(doing):
            indication, status, index, found = self._call(lambda: self._send(command, objects, once=once))
        if indication is not None:
            raise self._unanswered(doing, indication)
        if int(status) == _NO_SUCH_NAME and ends:
            return ()
        if status:
            at = max(int(index) - 1, 0)
            name = str(found[at][0]) if at < len(found) else ""
            raise refused(str(self.agent), doing, int(status), name)
        return list(found)

    def _unanswered(self, doing: str, indication: Any) -> LabError:
        if type(indication).__name__ == "RequestTimedOut":
            return self._silent(doing)
        return indicated(str(self.agent), doing, indication, self._security.user)

    def _silent(self, doing: str) -> Unreachable:
        agent, security = self.agent, self._security
        return Unreachable(
            f"{agent} did not answer within {agent.timeout} when asked to {doing} ({security.spoken()})",
            evidence={"agent": str(agent), "timeout": float(agent.timeout), "tries": agent.tries},
            hint=f"{security.unanswered()}; a slow one gets more time by the option 'timeout'",
        )

    def _call(self, make: Callable[[], Any]) -> Any:
        if self._loop is None:
            raise Unreachable(f"{self.agent} is closed")
        return self._loop.call(make, self.agent.timeout + _GRACE)

    @contextmanager
    def _translated(self, doing: str) -> Any:
        """Turn what pysnmp and the kernel raise into errors of the lab: the only place that knows both."""
        from pysnmp.error import PySnmpError

        try:
            yield
        except TimeoutError as error:
            raise self._silent(doing) from error
        except (PySnmpError, OSError) as error:
            raise LabError(f"{self.agent} could not be asked to {doing}: {error}") from error

    # --- in the loop's thread ----------------------------------------------------------------------

    async def _begin(self) -> None:
        import asyncio

        agent = self.agent
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                agent.host, agent.port, type=socket.SOCK_DGRAM, proto=socket.IPPROTO_UDP
            )
        except OSError as error:
            raise Unreachable(
                f"the host {agent.host!r} of {agent} cannot be found: {error.strerror or error}",
                hint="'host' is a name that the bench's host can look up, or an address",
            ) from error
        family, _, _, _, address = found[0]
        self._is_v6, self._address = family == socket.AF_INET6, (str(address[0]), int(address[1]))
        await self._renew()

    async def _renew(self) -> None:
        from pysnmp.hlapi.v3arch import asyncio as pysnmp

        kind = pysnmp.Udp6TransportTarget if self._is_v6 else pysnmp.UdpTransportTarget
        agent = self.agent
        each = _centiseconds(agent.timeout / agent.tries)
        self._target = await kind.create(self._address, timeout=each, retries=self._tries_of_an_engine - 1)
        self._last = await kind.create(self._address, timeout=each, retries=0)
        self._whole = await kind.create(self._address, timeout=_centiseconds(agent.timeout), retries=0)
        self._context = pysnmp.ContextData(contextName=agent.context.encode())
        self._data = self._security.data()
        self._engine = snmp_engine()

    async def _end(self) -> None:
        if hasattr(self, "_engine"):
            self._engine.close_dispatcher()

    @property
    def _tries_of_an_engine(self) -> int:
        """Leave the last try to a new engine where agents are discovered: in version 3."""
        return max(1, self.agent.tries - 1) if self._security.version == 3 else self.agent.tries

    async def _send(self, command: str, objects: Sequence[Any], *, once: bool) -> tuple[Any, Any, Any, Any]:
        """Send a request; ask an agent that has been restarted a second time, with a new engine.

        One that has another engine ID since then is silent for the old engine of pysnmp 7.1.
        """
        answer = await self._sent(command, objects, once=once)
        said = type(answer[0]).__name__
        silent = said == "RequestTimedOut" and not once and self._tries_of_an_engine < self.agent.tries
        if said not in STALE and not silent:
            return answer
        self._engine.close_dispatcher()
        await self._renew()
        return await self._sent(command, objects, once=once, last=True)

    async def _sent(
        self, command: str, objects: Sequence[Any], *, once: bool, last: bool = False
    ) -> tuple[Any, Any, Any, Any]:
        from pysnmp.hlapi.v3arch import asyncio as pysnmp

        target = self._whole if once else self._last if last else self._target
        call: Command = getattr(pysnmp, command)
        return await call(self._engine, self._data, target, self._context, *objects, lookupMib=False)


def _read(oid: str) -> Any:
    from pysnmp.smi.rfc1902 import ObjectIdentity, ObjectType

    return ObjectType(ObjectIdentity(plain_oid(oid)))


def _centiseconds(seconds: float) -> float:
    """Return a time that pysnmp can write into its MIB: in whole hundredths, at least one."""
    return max(1, round(seconds * 100)) / 100
