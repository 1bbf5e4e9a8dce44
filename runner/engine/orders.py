"""What the agent does for a bench when the controller vanishes: the steps of ``on_release``, made ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runner.agent.calls import Run
from runner.api.codec import encode_argument
from runner.api.verdicts import RecipeFault
from runner.engine.perform import arguments
from runner.engine.scope import Scope
from runner.model import Step, Use
from runner.template import RenderError, Templates

_LIMIT = 2.5
_ORIGIN = "the time for last orders of 2.5s"
Devices = Callable[[Use], Mapping[str, Any]]


def last_orders(
    steps: tuple[Step, ...], bench: str, names: Scope, templates: Templates, devices: Devices
) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """Return what the agent can run without us, and of each other step why it cannot."""
    orders: list[Run] = []
    left: list[str] = []
    for step in steps:
        what = step.what
        title = step.name or step.title
        if isinstance(what, Use) and what.verb.runs_on == "controller":
            continue
        if not isinstance(what, Use) or step.when is not None or step.loop is not None:
            left.append(f"{title}: it is no plain module")
            continue
        try:
            orders.append(_order(what, bench, names.child(nodes=step.variables), templates, devices))
        except (RenderError, RecipeFault) as error:
            left.append(f"{title}: {error}")
    return tuple(orders), tuple(left)


def _order(use: Use, bench: str, names: Scope, templates: Templates, devices: Devices) -> Run:
    given = arguments(use.arguments, names, templates)
    return Run(
        bench=bench,
        path=use.verb.path,
        arguments={name: encode_argument(value) for name, value in given.items()},
        devices=devices(use),
        limit=_LIMIT,
        limit_origin=_ORIGIN,
    )
