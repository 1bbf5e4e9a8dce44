"""Diagnostics over Ethernet (DoIP, ISO 13400-2; doipclient documentation, "DoIPClient")."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runner.api import Context, DiagnosticLink, Driver, Duration, LabError, Unreachable, arg
from runner.api.diagnostics import Message, MessageRecord

_FOR_EVER = 1e9
_ACTIVATED = 0x10
"""Routing successfully activated (ISO 13400-2, table 49)."""


class Doip(Driver, DiagnosticLink):
    """The way to a control unit over Ethernet, through its DoIP gateway (ISO 13400-2).

    The connection is made and its routing activated with the first step that needs it; when the
    gateway has closed it, as after a reset, the next request makes a new one. Alive checks are answered.
    Tested against a gateway that a program plays, not yet against a car's.

    Example::

        devices:
          gateway: {driver: doip, address: 192.168.10.2, logical_address: 0x00E0}
          ecu:     {driver: uds, link: gateway}
    """

    address: str = arg(help="the gateway's IP address or name")
    port: int = arg(default=13400, help="its TCP port", minimum=1, maximum=65535)
    logical_address: int = arg(help="the control unit's logical address", minimum=1, maximum=0xFFFF)
    client_address: int = arg(default=0x0E00, help="our own logical address", minimum=1, maximum=0xFFFF)
    functional_address: int | None = arg(
        default=None,
        help="the logical address of all control units: 0xE400 for one",
        minimum=1,
        maximum=0xFFFF,
    )
    activation: int | None = arg(
        default=0, help="type of the routing activation; null: none is asked for", minimum=0, maximum=0xFF
    )
    protocol_version: int = arg(default=2, help="2: ISO 13400-2:2012, 3: 2019", minimum=1, maximum=0xFF)
    connect_timeout: Duration = arg(
        default=Duration("5s"), help="how long connecting and activating may take"
    )

    def open(self) -> None:
        """Connect and activate routing; raise Unreachable, or LabError when it is refused."""
        self._name = f"DoIP gateway {self.address}:{self.port}"
        self._record = MessageRecord(self._name)
        self._sending = threading.Lock()
        self._refusal: str | None = None
        self._connect()

    def close(self) -> None:
        """Close the connection; its reader notices by itself, within the 2 s of the library's look-out."""
        self._client.close()

    def send(
        self,
        data: bytes,
        timeout: Duration,
        context: Context,
        *,
        functional: bool | None = None,
        wait: bool | None = None,
    ) -> int:
        """Send a message; unless `wait` is false, return when the gateway has acknowledged it."""
        from doipclient.messages import DiagnosticMessage

        target = self._target(functional)
        with self._sending:
            if self._gone.is_set():
                self._client.close()
                self._connect()
            self._acknowledged.clear()
            self._refusal = None
            number = self._record.add(data, sent=True)
            with self._translated("send to"):
                message = DiagnosticMessage(  # type: ignore[no-untyped-call]
                    self.client_address, target, bytearray(data)
                )
                self._client.send_doip_message(message, disable_retry=True)
            if wait is not False:
                self._wait(timeout, context)
        return number

    def latest(self) -> int:
        """Return the number of the newest message in the record."""
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> Message | None:
        """Wait for the first received message numbered above `after`."""
        return self._record.next(after, timeout, context)

    def _target(self, functional: bool | None) -> int:
        if not functional:
            return self.logical_address
        if self.functional_address is None:
            raise LabError(
                f"{self._name} was given no address of all control units",
                hint="give the device the option functional_address",
            )
        return self.functional_address

    def _connect(self) -> None:
        """Connect in a thread: the library knows no limit for that."""
        self._gone = threading.Event()
        self._acknowledged = threading.Event()
        self._refusal = None
        made: list[Any] = []

        def work() -> None:
            try:
                with self._translated("connect to"):
                    made.append(self._connected())
            except LabError as error:
                made.append(error)

        thread = threading.Thread(target=work, name=f"connect {self._name}", daemon=True)
        thread.start()
        thread.join(self.connect_timeout)
        if not made:
            hint = "connect_timeout of the device gives it longer"
            raise Unreachable(f"{self._name} did not answer within {self.connect_timeout}", hint=hint)
        if isinstance(made[0], LabError):
            raise made[0]
        self._client = made[0]
        self._record.mend()
        self._reader = threading.Thread(target=self._read, name=self._name, daemon=True)
        self._reader.start()

    def _connected(self) -> Any:
        from doipclient.client import DoIPClient

        class Client(DoIPClient):
            """Closes the socket of a connection that does not come about; doipclient 1.2 forgets it."""

            def _connect(self) -> None:
                try:
                    super()._connect()  # type: ignore[no-untyped-call]
                except OSError:
                    self._tcp_sock.close()
                    raise

        numeric = socket.getaddrinfo(self.address, self.port, type=socket.SOCK_STREAM)[0][4][0]
        client: Any = Client(  # type: ignore[no-untyped-call]
            numeric,
            self.logical_address,
            tcp_port=self.port,
            activation_type=None,
            protocol_version=self.protocol_version,
            client_logical_address=self.client_address,
        )
        try:
            self._activate(client)
        except BaseException:
            client.close()
            raise
        return client

    def _activate(self, client: Any) -> None:
        """Ask the gateway to pass our messages on (ISO 13400-2, 9.2)."""
        if self.activation is None:
            return
        answer = client.request_activation(self.activation, disable_retry=True)
        if answer.response_code != _ACTIVATED:
            code = int(answer.response_code)
            raise LabError(
                f"{self._name} refuses us: routing activation ends with 0x{code:02X}",
                evidence={"code": code, "client_address": self.client_address},
                hint="ISO 13400-2, table 49 says what it means; client_address and activation are options",
            )

    def _read(self) -> None:
        """Keep what comes until the connection ends."""
        gone, client = self._gone, self._client
        try:
            with self._translated("receive from"):
                while True:
                    self._take(client.read_doip(timeout=_FOR_EVER))
        except LabError as error:
            self._record.fail(error)
            self._refusal = error.message
            gone.set()
            self._acknowledged.set()

    def _take(self, message: Any) -> None:
        from doipclient import messages as known

        match message:
            case known.DiagnosticMessage() if message.target_address == self.client_address:
                self._record.add(bytes(message.user_data))
            case known.DiagnosticMessagePositiveAcknowledgement():
                self._acknowledged.set()
            case known.DiagnosticMessageNegativeAcknowledgement():
                code = int(message.nack_code)
                names = {int(each): each.name for each in type(message).NackCodes}
                self._refusal = f"{names.get(code, 'refused')} (0x{code:02X})"
                self._acknowledged.set()

    def _wait(self, timeout: Duration, context: Context) -> None:
        release = context.on_cancel(self._acknowledged.set)
        try:
            answered = self._acknowledged.wait(timeout)
        finally:
            release()
        context.check_cancelled()
        if not answered:
            raise LabError(f"{self._name} did not acknowledge a message within {timeout}")
        if self._refusal is not None:
            raise LabError(
                f"{self._name} did not take a message for 0x{self.logical_address:04X}: {self._refusal}"
            )

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Turn the library's errors into errors of the lab: the only place that knows both."""
        try:
            yield
        except TimeoutError as error:
            said = "it has closed the connection" if doing.startswith("receive") else "it does not answer"
            raise Unreachable(f"cannot {doing} {self._name}: {said}") from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"cannot {doing} {self._name}: {error}") from error
