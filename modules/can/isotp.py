"""ISO-TP on a CAN bus of the bench (ISO 15765-2; can-isotp documentation)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import (
    CanBus,
    Context,
    Driver,
    Duration,
    Failed,
    LabError,
    RecipeFault,
    TimedOut,
    Unsupported,
    Verdict,
    arg,
    device,
)
from runner.api.diagnostics import DiagnosticLink, Message, MessageRecord
from runner.api.isotp import IsoTp, IsoTpAddress, IsoTpParams, IsoTpSettings, halves
from runner.api.misfit import Misfit
from runner.modules.can.isotp_address import library_address, not_in_kernel, spoken
from runner.modules.can.isotp_kernel import KernelStack, kernel_can
from runner.modules.can.isotp_python import PythonStack, Sending

_TROUBLES = 8


class Isotp(Driver, IsoTp, DiagnosticLink):
    """Messages of more than 8 bytes to and from one address on a CAN bus (ISO-TP, ISO 15765-2).

    It listens from the first step that uses it until the end of the run; what came meanwhile is kept.

    `socket: kernel` leaves cutting and pacing to Linux (can-isotp, kernel 5.10 or newer), on a bus of
    the interface socketcan. Its sockets honour `tx_padding`, `blocksize`, `stmin`, `wftmax`, `can_fd`,
    `bitrate_switch` and `tx_data_length`; another parameter that is not left at its default is an error.
    They cannot tell whether a message is being sent or has begun to come, give one up, or send to all
    control units. `auto` takes them where they are and can do what is asked.

    Example::

        devices:
          can0:   {driver: can, interface: socketcan, channel: can0}
          engine: {driver: isotp, bus: can0, address: {txid: 0x7E0, rxid: 0x7E8}, params: {stmin: 5}}
    """

    private = True

    address: IsoTpAddress = arg(help="who talks to whom")
    rx_address: IsoTpAddress | None = arg(
        default=None, help="how what comes is addressed, where that is not how we send (asymmetric)"
    )
    params: IsoTpParams = arg(default=IsoTpParams(), help="how messages are cut and paced")
    socket: Literal["python", "kernel", "auto"] = arg(default="python", help="who cuts and paces them")
    bus: CanBus = device(help="the CAN bus it is on")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say why the addresses do not make a whole one."""
        if "address" in given and "rx_address" in given:
            yield from halves(given["address"], given["rx_address"])

    def open(self) -> None:
        """Begin to listen; raise RecipeFault for half an address, Unsupported for what the kernel cannot."""
        self._record = MessageRecord(f"ISO-TP {spoken(self.address)}")
        self._troubles: deque[str] = deque(maxlen=_TROUBLES)
        self._stack: PythonStack | KernelStack | None = None
        self.start()

    def close(self) -> None:
        """Stop listening."""
        self.stop()

    def start(self) -> None:
        """Begin to listen and to send."""
        if self._stack is not None:
            return
        address = library_address(self.address, self.rx_address)
        stack: PythonStack | KernelStack
        if self._kernel():
            stack = KernelStack(str(self.bus.info().get("channel")), address, self.params, self._record)
        else:
            stack = PythonStack(self.bus, address, self.params, self._record, self._troubles)
        self._record.mend()
        stack.start()
        self._stack = stack

    def stop(self) -> None:
        """Send and receive nothing until it is started again."""
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.stop()

    def send(
        self,
        data: bytes,
        timeout: Duration,
        context: Context,
        *,
        functional: bool | None = None,
        wait: bool | None = None,
    ) -> int:
        """Send a message and return its place in the record."""
        stack = self._running()
        self._refuse(data)
        if isinstance(stack, KernelStack):
            return self._sent_by_kernel(stack, data, timeout, functional)
        sending = Sending(bytes(data), functional)
        number = self._record.add(data, sent=True)
        stack.send(sending)
        if self.params.blocking_send if wait is None else wait:
            self._wait(stack, sending, timeout, context)
        return number

    def latest(self) -> int:
        """Return the number of the newest message in the record."""
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> Message | None:
        """Wait for the first received message numbered above `after`."""
        stack = self._running()
        coming = stack.receiving if isinstance(stack, PythonStack) else lambda: False
        return self._record.next(after, timeout, context, coming)

    def transmitting(self) -> bool:
        """Tell whether a message is being sent."""
        return self._of_python("tell whether a message is being sent").transmitting()

    def abort(self, direction: Literal["tx", "rx"]) -> None:
        """Give up the message that is being sent or received."""
        self._of_python("give up a message").abort(direction)

    def configure(
        self, address: IsoTpAddress | None, rx_address: IsoTpAddress | None, params: IsoTpParams | None
    ) -> None:
        """Change address and parameters; it is started anew with them when it was started."""
        if address is not None or rx_address is not None:
            library_address(address or self.address, rx_address)
        started = self._stack is not None
        self.stop()
        if address is not None or rx_address is not None:
            self.address, self.rx_address = address or self.address, rx_address
        self.params = params or self.params
        if started:
            self.start()

    def settings(self) -> IsoTpSettings:
        """Return how it works now."""
        return IsoTpSettings(
            address=self.address,
            rx_address=self.rx_address,
            params=self.params,
            started=self._stack is not None,
            socket="kernel" if isinstance(self._stack, KernelStack) else "python",
        )

    def troubles(self) -> tuple[str, ...]:
        """Return what went wrong with the latest messages to us."""
        return tuple(self._troubles)

    def _kernel(self) -> bool:
        if self.socket == "python":
            return False
        why = self._not_by_kernel()
        if why and self.socket == "kernel":
            raise Unsupported(f"socket: kernel cannot be used: {why}", hint="write socket: python")
        return not why

    def _not_by_kernel(self) -> str:
        """Return why the kernel cannot do it; empty when it can."""
        interface = self.bus.info().get("interface")
        if interface != "socketcan":
            return f"the bus is on {interface}, not on socketcan"
        unknown = not_in_kernel(self.params)
        if unknown:
            return f"its sockets do not honour {', '.join(unknown)}"
        if self.params.default_target_address_type == "functional":
            return "its sockets send to one control unit only"
        return "" if kernel_can() else "this kernel has no ISO-TP sockets (modprobe can-isotp)"

    def _running(self) -> PythonStack | KernelStack:
        if self._stack is None:
            raise RecipeFault(
                f"ISO-TP {spoken(self.address)} is stopped", hint="isotp_config: {state: started} starts it"
            )
        return self._stack

    def _of_python(self, doing: str) -> PythonStack:
        stack = self._running()
        if isinstance(stack, KernelStack):
            raise Unsupported(f"the kernel's ISO-TP sockets cannot {doing}", hint="write socket: python")
        return stack

    def _refuse(self, data: bytes) -> None:
        if not data:
            raise RecipeFault("an ISO-TP message has at least one byte (ISO 15765-2, 9.6.2)")
        if self.params.listen_mode:
            raise RecipeFault(f"ISO-TP {spoken(self.address)} only listens: params has listen_mode: true")

    def _wait(self, stack: PythonStack, sending: Sending, timeout: Duration, context: Context) -> None:
        release = context.on_cancel(sending.done.set)
        try:
            finished = sending.done.wait(timeout)
        finally:
            release()
        if not finished or context.cancelled:
            stack.abort("tx")
            context.check_cancelled()
        if not finished:
            raise TimedOut(
                f"{len(sending.data)} bytes to {spoken(self.address)} were not sent within {timeout}",
                evidence={"limit": "timeout", "length": len(sending.data), "timeout": float(timeout)},
            )
        if sending.error is not None:
            raise self._verdict(sending.error, sending.data) from sending.error

    def _sent_by_kernel(
        self, stack: KernelStack, data: bytes, timeout: Duration, functional: bool | None
    ) -> int:
        if functional:
            raise Unsupported("the kernel's ISO-TP sockets send to one control unit only")
        number = self._record.add(data, sent=True)
        try:
            stack.send(data, timeout)
        except OSError as error:
            raise self._verdict(error, data) from error
        return number

    def _verdict(self, error: Exception, data: bytes) -> Verdict:
        """Say whose fault a message is that was not sent: the only place that knows the library's errors."""
        import errno

        from isotp import errors as known

        if isinstance(error, Verdict):
            return error
        what = f"{len(data)} bytes to {spoken(self.address)}"
        evidence: dict[str, object] = {"length": len(data), "error": str(error)}
        # ECOMM: the kernel's word for a flow control that did not come (net/can/isotp.c)
        waited = isinstance(error, OSError) and error.errno == errno.ECOMM
        if waited or isinstance(error, (known.FlowControlTimeoutError, TimeoutError)):
            evidence |= {"limit": "rx_flowcontrol_timeout", "timeout": self._flow_limit() / 1000}
            return TimedOut(
                f"{what}: no flow control came within {self._flow_limit()} ms",
                evidence=evidence,
                hint="is the control unit there, and is the address right? "
                "params: {rx_flowcontrol_timeout: …} waits longer",
            )
        if isinstance(error, known.OverflowError) or getattr(error, "errno", 0) == errno.EMSGSIZE:
            return Failed(
                f"{what}: the control unit has no room for it (flow control: overflow)", evidence=evidence
            )
        if isinstance(error, (known.MaximumWaitFrameReachedError, known.UnsupportedWaitFrameError)):
            message = f"{what}: the control unit asked to wait more than {self.params.wftmax} times"
            return Failed(message, evidence=evidence, hint="params: {wftmax: …} lets it")
        if isinstance(error, ValueError):
            return RecipeFault(f"{what} cannot be sent: {error}", evidence=evidence)
        return LabError(f"{what} could not be sent: {error}", evidence=evidence)

    def _flow_limit(self) -> int:
        return 1000 if isinstance(self._stack, KernelStack) else self.params.rx_flowcontrol_timeout
