"""Which limit in time a step has, and the words for it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from runner.api.values import Duration
from runner.declaration import Verb
from runner.engine.cancel import Deadline
from runner.model import Timeouts

DEFAULT_STEP = Duration("5m")
DEFAULT_TEST = Duration("30m")
DEFAULT_RUN = Duration("12h")
CLEAN_UP = Duration("5m")
_GRACE = 5.0
_DEFAULT_ORIGIN = f"the default timeout for steps of {DEFAULT_STEP} (set it with `timeout:`)"


def step_limit(
    timeout: Duration | None, verb: Verb, arguments: Mapping[str, Any], play: Timeouts
) -> tuple[float, str]:
    """Return the seconds a step may take and where that is set.

    The step's own ``timeout:`` counts most; then the module's own limit when the recipe
    gives it (``within: 90s``); then the play's ``timeout: {step: …}``; then the module's
    default. A module gets a little longer than its own limit, for its better message.
    """
    if timeout is not None:
        return timeout, f"the step's timeout of {timeout}"
    own = arguments.get(verb.limited_by) if verb.limited_by else None
    if own is not None:
        return float(own) + _GRACE, f"{verb.name}'s {verb.limited_by} of {Duration(own)}"
    if play.step is not None:
        return play.step, _play_origin(play.step)
    if verb.limited_by:
        default = verb.parameters[verb.limited_by].default
        if default is not None:
            return float(default) + _GRACE, f"{verb.name}'s default {verb.limited_by} of {Duration(default)}"
    return DEFAULT_STEP, _DEFAULT_ORIGIN


@functools.cache
def _play_origin(limit: Duration) -> str:
    return f"the play's timeout for steps of {limit}"


def deadline(seconds: float, origin: str, outer: Deadline) -> Deadline:
    """Return the nearer of a new limit and the one around it."""
    return Deadline.after(seconds, origin).nearer(outer)
