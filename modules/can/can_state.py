"""Change how we take part in a CAN bus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import CanBus, Context, Misfit, Module, Result, arg, device


class Stands(Result):
    """How the bus stands then."""

    state: str


class CanState(Module):
    """Take part in a CAN bus or only listen, and throw away what waits to be sent.

    Interfaces that cannot do this say so (error class `unsupported`); on SocketCAN it is the
    kernel that listens only, by the driver's option `listen_only`.

    Example::

        - can_state: passive
        - can_state: {state: active, flush_tx: true}
    """

    state: Literal["active", "passive"] | None = arg(
        default=None, primary=True, help="active: take part; passive: only listen; left out: as it is"
    )
    flush_tx: bool = arg(default=False, help="throw away what waits to be sent")
    bus: CanBus = device(help="the bus")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say when nothing is asked for."""
        if given.get("state", "") is None and given.get("flush_tx") is False:
            yield Misfit("", "it changes nothing", "write state:, or flush_tx: true; can_info only asks")

    def run(self, context: Context) -> Stands:  # noqa: ARG002 - nothing to wait for
        """Change it."""
        if self.flush_tx:
            self.bus.flush()
        if self.state is not None:
            self.bus.set_state(self.state)
        return Stands(state=str(self.bus.info().get("state", "unknown")))
