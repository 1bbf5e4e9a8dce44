"""Change how an ISO-TP device works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runner.api import Context, Module, Result, arg, device
from runner.api.isotp import IsoTp, IsoTpAddress, IsoTpParams, halves
from runner.api.misfit import Misfit


class IsotpConfigured(Result):
    """How it works now."""

    address: IsoTpAddress
    rx_address: IsoTpAddress | None
    params: IsoTpParams
    started: bool
    socket: str
    """Who cuts and paces the messages: python or kernel."""


class IsotpConfig(Module):
    """Change address or parameters of an ISO-TP device, start and stop it, give up messages.

    What is left out stays as it is; without arguments it only says how it is. New parameters replace
    all of the old ones. Messages that have been received are kept.

    Example::

        - isotp_config: {address: {txid: 0x7E1, rxid: 0x7E9}, params: {stmin: 10}}
        - isotp_config: {abort: tx}
        - isotp_config: {state: stopped}
    """

    address: IsoTpAddress | None = arg(default=None, help="who talks to whom from now on")
    rx_address: IsoTpAddress | None = arg(
        default=None, help="how what comes is addressed, where that is not how we send (asymmetric)"
    )
    params: IsoTpParams | None = arg(default=None, help="how messages are cut and paced from now on")
    state: Literal["started", "stopped"] | None = arg(
        default=None, help="stopped: nothing is sent or received, no flow control either"
    )
    abort: Literal["tx", "rx"] | None = arg(
        default=None, help="give up the message that is being sent (tx) or received (rx)"
    )
    link: IsoTp = device(help="the device to change")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say why the addresses do not make a whole one."""
        if "address" in given and "rx_address" in given:
            yield from halves(given["address"], given["rx_address"])

    def run(self, context: Context) -> IsotpConfigured:  # noqa: ARG002 - nothing is waited for
        """Abort, change, then start or stop."""
        if self.abort is not None:
            self.link.abort(self.abort)
        if (self.address, self.rx_address, self.params) != (None, None, None):
            self.link.configure(self.address, self.rx_address, self.params)
        if self.state == "started":
            self.link.start()
        elif self.state == "stopped":
            self.link.stop()
        now = self.link.settings()
        return IsotpConfigured(
            address=now.address,
            rx_address=now.rx_address,
            params=now.params,
            started=now.started,
            socket=now.socket,
        )
