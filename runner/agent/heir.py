"""Does what an agent had promised to do at its end, and was killed before it could."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from runner.agent.calls import Configure, Release
from runner.agent.estate import Estate
from runner.agent.outbox import Outbox
from runner.agent.service import Service
from runner.agent.wording import unpack_request

if TYPE_CHECKING:
    from runner.agent.locks import Locks
    from runner.agent.quarantine import Quarantines


def inherit(
    estate: Estate, make_locks: Callable[[], Locks], make_quarantines: Callable[[], Quarantines]
) -> None:
    """Carry out the last orders of every bench that was not released; takes some seconds at most."""
    service = Service(Outbox(_unheard), make_locks, make_quarantines, Estate())
    service.inherit(not_released(estate.orders()))
    service.end("the agent was killed")


def not_released(orders: Iterable[bytes]) -> list[Configure]:
    """Return what is known of each bench that was configured, and not released after that."""
    left: dict[str, Configure] = {}
    for each in orders:
        match unpack_request(each):
            case Configure() as configure:
                left[configure.bench] = configure
            case Release() as release:
                left.pop(release.bench, None)
            case other:
                raise ValueError(f"an estate does not hold a {type(other).__name__}")
    return list(left.values())


def _unheard(_data: bytes) -> None:
    """Say nothing: the port went with the agent."""
