"""Wait for an ISO-TP message."""

from __future__ import annotations

import time
from typing import Literal

from runner.api import BytePattern, ByteString, Context, Duration, Module, Result, arg, device
from runner.api.isotp import IsoTp
from runner.modules.can.isotp_wait import Wanted, wait_for


class IsotpReceived(Result):
    """The message that was waited for."""

    data: ByteString
    number: int
    elapsed: Duration
    """How long it was waited; 0 for what was there before."""


class IsotpExpect(Module):
    """Wait until a message comes over ISO-TP.

    Looked at are the messages received since the latest `isotp_send` on this device, or since it
    was opened when there was none, also those that came before this step began. `within: 0` only
    looks whether there is one. A message that has begun in time may end later.

    Example::

        - isotp_send: {data: "22 F1 90"}
        - isotp_expect: {begins: "62 F1 90", length: 20, within: 500ms}
          register: vin
    """

    limited_by = "within"

    data: BytePattern | None = arg(
        default=None, primary=True, help='all its bytes, ?? for any: "7F 22 ??"; left out: whatever they are'
    )
    begins: BytePattern | None = arg(default=None, help='its first bytes, ?? for any: "62 F1 90"')
    length: int | None = arg(default=None, help="how many bytes it has", minimum=1)
    within: Duration = arg(default=Duration("1s"), help="how long to wait")
    since: Literal["send", "start", "now"] | int = arg(
        default="send",
        help="the messages to look at: since the latest isotp_send, since the device was opened, from now "
        "on, or after the message of this number",
    )
    link: IsoTp = device(help="the address it comes from")

    def run(self, context: Context) -> IsotpReceived:
        """Look at messages until one matches or the time is over."""
        started = time.monotonic()
        wanted = Wanted(self.data, self.begins, self.length)
        found = wait_for(self.link, wanted, self._start(), self.within, context)
        elapsed = Duration(max(found.time - started, 0.0))
        return IsotpReceived(data=found.data, number=found.number, elapsed=elapsed)

    def _start(self) -> int:
        match self.since:
            case "send":
                return self.link.last_sent
            case "start":
                return 0
            case "now":
                return self.link.latest()
            case number:
                return number
