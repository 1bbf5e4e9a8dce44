"""Send an ISO-TP message."""

from __future__ import annotations

import time
from typing import Literal

from runner.api import ByteString, Context, Duration, Module, Result, Unsupported, arg, device
from runner.api.isotp import IsoTp


class IsotpSent(Result):
    """The message's place in the record, and how its sending went."""

    number: int
    length: int
    transmitting: bool | None
    """Whether it is still being sent; None where that cannot be told."""
    elapsed: Duration


class IsotpSend(Module):
    """Send a message over ISO-TP, in as many frames as it takes.

    It has passed when the last frame is with the bus and the control unit has taken every block.

    Example::

        - isotp_send: {data: "22 F1 90"}
        - isotp_send: {data: "3E 80", target: functional}
    """

    limited_by = "timeout"

    data: ByteString = arg(primary=True, help='its bytes: "22 F1 90", or a list of numbers')
    target: Literal["physical", "functional"] | None = arg(
        default=None,
        help="to one control unit, or to all (one frame only); left out: what the device says",
    )
    wait: bool | None = arg(
        default=None, help="wait until it is sent; left out: what blocking_send of the device says"
    )
    timeout: Duration = arg(default=Duration("10s"), help="how long the sending may take")
    link: IsoTp = device(help="the address it goes to")

    def run(self, context: Context) -> IsotpSent:
        """Send it; what comes from now on may be its answer."""
        began = time.monotonic()
        functional = None if self.target is None else self.target == "functional"
        number = self.link.send(self.data, self.timeout, context, functional=functional, wait=self.wait)
        self.link.last_sent = number
        return IsotpSent(
            number=number,
            length=len(self.data),
            transmitting=self._transmitting(),
            elapsed=Duration(time.monotonic() - began),
        )

    def _transmitting(self) -> bool | None:
        try:
            return self.link.transmitting()
        except Unsupported:  # the kernel's sockets cannot tell, and have sent it all
            return None
