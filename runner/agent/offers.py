"""Makes the offers of consoles; what they need is imported with the first console."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.agent.offer import Offer

MakeOffer = Callable[[str, str], "Offer | None"]


def offers(tell: Callable[[str], None]) -> MakeOffer:
    """Return what offers a console to others; `tell` hears who takes its input."""
    return functools.partial(_offer, tell)


def _offer(tell: Callable[[str], None], bench: str, device: str) -> Offer | None:
    """Offer a console; where that is impossible the run goes on without, and says so."""
    from runner.agent.attach import socket_name
    from runner.agent.lock_files import lock_folder
    from runner.agent.offer import Offer

    name = f"{device} of bench {bench}"
    try:
        path = lock_folder(os.environ) / socket_name(bench, device, os.getpid())
        return Offer(path, name, tell)
    except (OSError, LabError) as error:
        tell(f"console {name} cannot be attached to: {error}")
        return None
