"""Send a frame on a CAN bus."""

from __future__ import annotations

from runner.api import ByteString, CanBus, CanFrame, Context, Duration, Module, Result, arg, device

STANDARD = 0x7FF
"""The highest identifier of a standard frame (ISO 11898-1)."""


class Sent(Result):
    """The frame as it was sent, and its place in the record of the bus."""

    frame: CanFrame
    number: int


class CanSend(Module):
    """Send a frame on a CAN bus.

    Example::

        - can_send: {id: 0x123, data: "01 02"}
        - can_send: {id: 0x18DAF110, data: [2, 0x3E, 0]}
    """

    id: int = arg(help="its identifier", minimum=0, maximum=0x1FFFFFFF)
    data: ByteString = arg(default=ByteString(""), help='its bytes: "01 02", or a list of numbers')
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )
    remote: bool = arg(default=False, help="a remote frame: it asks for data and has none")
    fd: bool = arg(default=False, help="a CAN FD frame, of up to 64 bytes")
    bitrate_switch: bool = arg(default=False, help="CAN FD: send the data at the data bit rate")
    timeout: Duration = arg(default=Duration("1s"), help="how long the bus may take to accept it")
    bus: CanBus = device(help="the bus it is sent on")

    def run(self, context: Context) -> Sent:  # noqa: ARG002 - the driver keeps the time
        """Send it; what comes from now on may be its answer."""
        frame = CanFrame(
            id=self.id,
            data=self.data,
            extended=self.id > STANDARD if self.extended is None else self.extended,
            remote=self.remote,
            fd=self.fd,
            bitrate_switch=self.bitrate_switch,
        )
        self.bus.last_sent = self.bus.send(frame, self.timeout)
        return Sent(frame=frame, number=self.bus.last_sent)
