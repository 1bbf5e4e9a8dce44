"""Which limit in time a step has, and the words for it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from runner.api.values import Duration
from runner.api.verdicts import TimedOut
from runner.engine.cancel import Deadline
from runner.errors import Location
from runner.model import Step, Timeouts, Use

DEFAULT_STEP = Duration("5m")
DEFAULT_TEST = Duration("30m")
DEFAULT_RUN = Duration("12h")
CLEAN_UP = Duration("5m")
_GRACE = 5.0
_DEFAULT_ORIGIN = f"the default timeout for steps of {DEFAULT_STEP} (set it with `timeout:`)"


def step_limit(
    timeout: Duration | None, step: Step, use: Use, arguments: Mapping[str, Any], play: Timeouts
) -> tuple[float, str]:
    """Return the seconds a step may take and where that is set.

    The step's own ``timeout:`` counts most; then the module's own limit when the recipe
    gives it (``within: 90s``); then the play's ``timeout: {step: …}``; then the module's
    default. A module gets a little longer than its own limit, for its better message.
    """
    if timeout is not None and step.timeout is not None:
        return timeout, f"the step's timeout of {timeout} ({step.timeout.at})"
    verb = use.verb
    own = arguments.get(verb.limited_by) if verb.limited_by else None
    if own is not None:
        return float(own) + _GRACE, own_limit(step, use, arguments)
    if play.step is not None:
        return play.step, _play_origin(play.step, play.at.get("step"))
    if verb.limited_by:
        default = verb.parameters[verb.limited_by].default
        if default is not None:
            return float(default) + _GRACE, own_limit(step, use, arguments)
    return DEFAULT_STEP, _DEFAULT_ORIGIN


def own_limit(step: Step, use: Use, arguments: Mapping[str, Any]) -> str:
    """Say what a module's own limit is, and where it is written or is to be written; empty for none."""
    verb = use.verb
    name = verb.limited_by
    given = arguments.get(name)
    if given is not None:
        return f"{verb.name}'s {name} of {Duration(given)} ({use.arguments[name].node.at})"
    default = verb.parameters[name].default if name else None
    if default is None:
        return ""
    return f"{verb.name}'s default {name} of {Duration(default)} (give it another {name} at {step.at})"


def tell_origin(late: TimedOut, own: tuple[str, str], step: str) -> None:
    """Put into the evidence of a time-out which limit of the recipe it was, not only its name.

    `own`: the argument that limits the module, and what it is in words; `step`: the step's limit in words.
    """
    name, origin = own
    if late.evidence.get("limit") == "the step's timeout":
        late.evidence["limit"] = step
    elif name and origin and late.evidence.get("limit") == name:
        late.evidence["limit"] = origin


@functools.cache
def _play_origin(limit: Duration, at: Location | None) -> str:
    return f"the play's timeout for steps of {limit}" + (f" ({at})" if at else "")


def deadline(seconds: float, origin: str, outer: Deadline) -> Deadline:
    """Return the nearer of a new limit and the one around it."""
    return Deadline.after(seconds, origin, outer.clock).nearer(outer)
