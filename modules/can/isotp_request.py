"""Send an ISO-TP message and wait for its answer."""

from __future__ import annotations

import time

from runner.api import BytePattern, ByteString, Context, Duration, Module, Result, arg, device
from runner.api.isotp import IsoTp
from runner.modules.can.isotp_wait import Wanted, wait_for


class IsotpAnswer(Result):
    """The answer, and how long it took from the end of the request to the end of the answer."""

    data: ByteString
    number: int
    elapsed: Duration


class IsotpRequest(Module):
    """Send a message over ISO-TP and wait for the answer that matches.

    Any message that comes after the request counts, however early: none is missed. One that does
    not match (a pending answer, say) is passed over. The time begins when the request is sent.

    Example::

        - isotp_request: {data: "22 F1 90", begins: "62 F1 90", within: 2s}
          expect: result.data[3:] | hex == '57 41 55 5A'
    """

    limited_by = "within"

    data: ByteString = arg(primary=True, help='the request: "22 F1 90", or a list of numbers')
    answer: BytePattern | None = arg(
        default=None, help="all bytes of the answer, ?? for any; left out: whatever they are"
    )
    begins: BytePattern | None = arg(default=None, help='the first bytes of the answer: "62 F1 90"')
    length: int | None = arg(default=None, help="how many bytes the answer has", minimum=1)
    within: Duration = arg(default=Duration("1s"), help="how long to wait for the answer to begin")
    send_timeout: Duration = arg(default=Duration("10s"), help="how long the sending may take")
    link: IsoTp = device(help="who is asked")

    def run(self, context: Context) -> IsotpAnswer:
        """Send it, then look at what has come since."""
        number = self.link.send(self.data, self.send_timeout, context, wait=True)
        self.link.last_sent = number
        sent = time.monotonic()
        wanted = Wanted(self.answer, self.begins, self.length)
        found = wait_for(self.link, wanted, number, self.within, context)
        elapsed = Duration(max(found.time - sent, 0.0))
        return IsotpAnswer(data=found.data, number=found.number, elapsed=elapsed)
