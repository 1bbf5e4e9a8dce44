"""The host's half of forwards: connections made from here, and those accepted here."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.agent.addresses import connected, listener, listens_at
from runner.agent.call import Call
from runner.agent.carrier import Broken, Carrier
from runner.agent.forwarding import Accept, Connect, Listen, Unlisten
from runner.agent.frames import Kind
from runner.agent.leading import leads_to
from runner.agent.wording import pack_connected
from runner.api.address import Address, read_address
from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.agent.bench import Bench


@dataclass(frozen=True)
class _Open:
    bench: str
    address: Address
    socket: socket.socket

    def close(self) -> None:
        """Wake who accepts, and take the file of a Unix socket away."""
        with contextlib.suppress(OSError):  # it may be closed already
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self.address.path:
            Path(self.address.path).unlink(missing_ok=True)


class Forwards:
    """The listeners of this agent; connections belong to the calls that carry them."""

    def __init__(self) -> None:
        """Listen nowhere."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._open: dict[int, _Open] = {}

    def answer(self, request: Connect | Listen | Accept | Unlisten, call: Call, bench: Bench) -> Any:
        """Do what was asked, if all policies allow it; a connection is carried to its end."""
        if isinstance(request, Connect) and request.ask:
            request = dataclasses.replace(request, to=leads_to(request.to, bench, call))
        for policy in bench.policies:
            if isinstance(request, (Connect, Listen)):
                policy.allow_forward(request.to if isinstance(request, Connect) else request.at)
        match request:
            case Connect(ask=True):
                return {"to": request.to}
            case Connect():
                return carried(connected(read_address(request.to)), request.to, call)
            case Listen():
                return self._listen(request)
            case Accept():
                return carried(*self._accept(request, call), call)
            case Unlisten():
                self._forget(request.number)
        return None

    def close(self) -> None:
        """Listen nowhere any more."""
        for number in tuple(self._open):
            self._forget(number)

    def _listen(self, request: Listen) -> dict[str, Any]:
        asked = read_address(request.at, host="127.0.0.1")
        made = listener(asked)
        address = listens_at(made, asked)
        with self._lock:
            number = next(self._numbers)
            self._open[number] = _Open(request.bench, address, made)
        return {"number": number, "address": str(address)}

    def _accept(self, request: Accept, call: Call) -> tuple[socket.socket, str]:
        found = self._open.get(request.number)
        if found is None:
            raise LabError(f"nothing listens under the number {request.number}")
        leave = call.stop.watch(lambda: self._forget(request.number))
        try:
            connection, peer = found.socket.accept()
        except OSError as error:
            if call.stop.cause is not None:
                raise call.stop.verdict() from error
            raise LabError(f"{found.address} does not listen any more: {error.strerror}") from error
        finally:
            leave()
        return connection, str(Address(*peer[:2])) if isinstance(peer, tuple) else str(found.address)

    def _forget(self, number: int) -> None:
        with self._lock:
            found = self._open.pop(number, None)
        if found is not None:
            found.close()


def carried(connection: socket.socket, peer: str, call: Call) -> None:
    """Carry a connection on a call's stream until it ends; raise LabError when it breaks."""
    carrier = Carrier(call.say)
    call.receive(carrier.take, carrier.grant)
    leave = call.stop.watch(lambda: carrier.abort(call.stop.cause or ""))
    try:
        call.say(Kind.EVENT, pack_connected(peer))
        carrier.run(connection)
    except Broken as error:
        if call.stop.cause is not None:
            raise call.stop.verdict() from error
        raise LabError(f"the connection to {peer} broke: {error}") from error
    finally:
        leave()
