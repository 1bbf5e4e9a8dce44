"""A control unit that is diagnosed (ISO 14229-1 and -2; udsoncan documentation, "Client")."""

from __future__ import annotations

import threading
import time
from typing import Any

from runner.api import (
    ByteString,
    Context,
    DiagnosticLink,
    Driver,
    Duration,
    Failed,
    RecipeFault,
    TimedOut,
    Verdict,
    arg,
    device,
)
from runner.api import uds as api
from runner.api.uds_codes import service_name
from runner.modules.uds.connection import Connection, library_connection
from runner.modules.uds.keeper import Keeper


class Uds(Driver, api.Uds):
    """A control unit that is diagnosed over ISO-TP or DoIP (UDS, ISO 14229).

    P2 begins when the whole request is sent, however long that takes, and an answer is in time when
    it begins in time (ISO 14229-2, 7.2). The control unit says its P2 and P2* with each change of
    session; `leeway` is added for the way there and back, and for what is between us and the bus.
    The kernel's ISO-TP sockets do not tell when an answer begins: give them a longer leeway.

    Example::

        devices:
          can0:   {driver: can, interface: socketcan, channel: can0}
          engine: {driver: isotp, bus: can0, address: {txid: 0x7E0, rxid: 0x7E8}}
          ecu:
            driver: uds
            link: engine
            dids:
              vin:     {id: 0xF190, codec: ascii, length: 17}
              rpm_max: {id: 0x0101, codec: uint, length: 2}
    """

    private = True

    p2: Duration = arg(default=Duration("50ms"), help="how long an answer may take, until it says otherwise")
    p2_star: Duration = arg(
        default=Duration("5s"), help="how long it may take after a pending one, until it says otherwise"
    )
    use_server_timing: bool = arg(
        default=True, help="believe the P2 and P2* that the control unit says; false: always those above"
    )
    leeway: Duration = arg(default=Duration("1s"), help="what is added to P2 and P2* (delta P2)")
    request_timeout: Duration = arg(
        default=Duration("60s"), help="how long a request may take in all, however often it is pending"
    )
    send_timeout: Duration = arg(default=Duration("10s"), help="how long the sending of a request may take")
    dids: dict[str, api.Did] = arg(default={}, help="data identifiers by name")
    link: DiagnosticLink = device(help="the way to it")

    def open(self) -> None:
        """Be ready to ask; nothing is sent yet."""
        self._connection = Connection(self.link, self.send_timeout)
        self._one_at_a_time = threading.Lock()
        self._client: Any = None
        self._keeper: Keeper | None = None
        self._timing = (self.p2, self.p2_star)

    def close(self) -> None:
        """Send no more TesterPresent."""
        self.keep_alive(None)

    def ask(self, request: bytes, context: Context, *, timeout: Duration | None = None) -> api.UdsAnswer:
        """Send a request and return its answer; pending ones are waited through."""
        from udsoncan.exceptions import NegativeResponseException

        with self._one_at_a_time:
            self._connection.begin(context)
            try:
                response = self._prepared(timeout).send_request(self._request(request))
            except NegativeResponseException as error:
                response = error.response
            except Exception as error:
                raise self._verdict(error, request, timeout) from error
            elapsed = Duration(time.monotonic() - self._connection.sent)
        code = None if response.positive else int(response.code)
        return api.UdsAnswer(
            service=request[0], data=ByteString(response.data or b""), code=code, elapsed=elapsed
        )

    def tell(self, request: bytes, context: Context, *, functional: bool = False) -> None:
        """Send a request that is not answered."""
        with self._one_at_a_time:
            self.link.send(request, self.send_timeout, context, functional=functional or None, wait=True)

    def learn_timing(self, p2: Duration, p2_star: Duration) -> None:
        """Wait from now on as long as the control unit has promised."""
        if self.use_server_timing:
            self._timing = (p2, p2_star)

    def keep_alive(self, every: Duration | None, *, functional: bool = False) -> None:
        """Send TesterPresent again and again; None: no more of it."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.stop()
        if every is not None:
            self._keeper = Keeper(
                lambda context: self.tell(b"\x3e\x80", context, functional=functional), every
            )

    def _prepared(self, timeout: Duration | None) -> Any:
        """Return the library's client, with the limits of this request."""
        from udsoncan.client import Client

        if self._client is None:
            self._client = Client(library_connection(self._connection))
        p2, p2_star = self._timing if timeout is None else (timeout, max(timeout, self._timing[1]))
        overall = max(float(self.request_timeout), float(timeout or 0))
        for name, value in (
            ("p2_timeout", p2 + self.leeway),
            ("p2_star_timeout", p2_star + self.leeway),
            ("request_timeout", overall + self.leeway),
        ):
            self._client.set_config(name, float(value))
        return self._client

    @staticmethod
    def _request(request: bytes) -> Any:
        from udsoncan.Request import Request

        made = Request.from_payload(request)
        if made.service is None:
            raise RecipeFault(f"{service_name(request[0])} is no service of ISO 14229")
        return made

    def _verdict(self, error: Exception, request: bytes, timeout: Duration | None) -> Verdict:
        """Say whose fault it is: the only place that knows the library's errors."""
        from udsoncan import exceptions as known

        if isinstance(error, Verdict):
            return error
        service = service_name(request[0])
        evidence: dict[str, object] = {
            "service": service,
            "request": str(ByteString(request[:64])),
            "last_answer": self._connection.last_answer(),
        }
        if isinstance(error, known.TimeoutException):
            return self._too_late(service, evidence, timeout)
        if isinstance(error, (known.InvalidResponseException, known.UnexpectedResponseException)):
            return Failed(
                f"{service}: {self._connection.last_answer()} is no answer to it: {error}", evidence=evidence
            )
        if isinstance(error, ValueError):
            return RecipeFault(f"{service}: {error}", evidence=evidence)
        raise error

    def _too_late(self, service: str, evidence: dict[str, object], timeout: Duration | None) -> TimedOut:
        pending = self._connection.pending
        name = "timeout" if timeout is not None else "P2*" if pending else "P2"
        limit = timeout or self._timing[1 if pending else 0]
        said = f" after {pending} pending ones" if pending else ""
        return TimedOut(
            f"{service}: no answer{said} within {name} {limit} and a leeway of {self.leeway}",
            evidence={**evidence, "limit": name, "within": float(limit), "pending": pending},
            hint="the step's 'within', and 'p2', 'p2_star', 'leeway' of the device give it longer",
        )
