"""Say where something listens."""

from __future__ import annotations

from runner.api import Context, Module, Network, NetworkAddress, device


class NetAddress(Module):
    """Say where a device of the network is, as the bench's host sees it.

    Example::

        - net_address: {device: web}
          register: web
        - port_forward: "{{ web.host }}:{{ web.port }}"
    """

    reads_only = True

    network: Network = device(help="whose address")

    def run(self, context: Context) -> NetworkAddress:
        """Return it."""
        address = self.network.address()
        context.log(address.url)
        return address
