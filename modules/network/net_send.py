"""Say something to what listens on the network."""

from __future__ import annotations

from runner.api import (
    ByteString,
    Context,
    Conversation,
    Duration,
    Module,
    Network,
    RecipeFault,
    Result,
    arg,
    device,
)


class NetSent(Result):
    """How much was sent."""

    sent: int
    """In bytes."""


class NetSend(Module):
    r"""Send text or bytes over the network; what comes back is looked at by `net_expect`.

    The first step connects, and the connection stays open until the end of the run, until a step says
    `close: true`, or until the other end closes it: then the next `net_send` connects anew.
    Where there are datagrams or messages, what one step sends is one.

    Example::

        - net_send: {text: "*IDN?\n"}
        - net_expect: 'ACME,(?P<model>\w+)'
    """

    text: str | None = arg(default=None, primary=True, help="text, sent as UTF-8")
    data: ByteString | None = arg(default=None, help='bytes, as in "02 01 0C"')
    close: bool = arg(default=False, help="end the connection afterwards; the next step makes a new one")
    within: Duration = arg(default=Duration("10s"), help="how long connecting may take")
    network: Network = device(help="whom to tell it")

    def run(self, context: Context) -> NetSent:
        """Connect when that has not been done, and send."""
        del context
        if self.text is not None and self.data is not None:
            raise RecipeFault("net_send takes 'text' or 'data', not both")
        data = self.text.encode() if self.text is not None else bytes(self.data or b"")
        if data:
            if self.network.conversation is not None and self.network.conversation.ended is not None:
                hang_up(self.network)
            conversation(self.network, self.within).send(data)
        if self.close:
            hang_up(self.network)
        return NetSent(sent=len(data))


def conversation(network: Network, within: Duration) -> Conversation:
    """Return the connection that the steps share, even when it has ended; connect when there is none."""
    if network.conversation is None:
        network.conversation = Conversation(network.connect(within), network.address().url)
    return network.conversation


def hang_up(network: Network) -> None:
    """End the connection that the steps share, if there is one."""
    if network.conversation is not None:
        network.conversation.close()
        network.conversation = None
