"""How a call ended badly, as data: the agent's one place where exceptions become answers."""

from __future__ import annotations

import traceback
from typing import Any

from runner.agent.calls import Ended
from runner.agent.classes import missing_library
from runner.agent.stop import Stop
from runner.api import verdicts
from runner.api.codec import encode
from runner.api.verdicts import Cancelled, TimedOut, Verdict

_OURS = __file__.rpartition("/")[0]


def ended(error: BaseException, stop: Stop) -> Ended:
    """Describe the end of a call that raised `error`, or was asked to stop and then raised it."""
    if isinstance(error, Verdict):
        return _of_verdict(_by_limit(error, stop))
    told = "".join(traceback.format_exception(type(error), error, _theirs(error)))
    if isinstance(error, ModuleNotFoundError) and stop.cause is None:
        return _of_verdict(missing_library(error), told=told)
    if stop.cause is not None:
        while_stopping = {"while_stopping": _sentence(error)}
        return _of_verdict(stop.verdict(), evidence=while_stopping, told=told)
    return Ended(verdict="Crash", kind="internal", message=_sentence(error), traceback=told)


def _by_limit(error: Verdict, stop: Stop) -> Verdict:
    """Make a time-out of a Cancelled that a limit caused; name the limit in any other time-out."""
    if not stop.timed_out:
        return error
    if isinstance(error, Cancelled):
        return TimedOut(stop.cause or "", evidence=error.evidence, hint=error.hint, result=error.result)
    if isinstance(error, TimedOut):
        error.evidence.setdefault("limit", stop.cause)
    return error


def _of_verdict(error: Verdict, *, evidence: dict[str, Any] | None = None, told: str = "") -> Ended:
    return Ended(
        verdict=_known(type(error)),
        kind=error.kind,
        message=error.message,
        evidence={
            str(name): tellable(value) for name, value in {**error.evidence, **(evidence or {})}.items()
        },
        hint=error.hint,
        traceback=told,
        result=tellable(error.result),
    )


def _known(cls: type) -> str:
    """Return the name of the nearest class that the controller knows, too."""
    names = [str(each.__name__) for each in cls.__mro__ if getattr(verdicts, each.__name__, None) is each]
    return names[0]


def tellable(value: object) -> Any:
    """Encode a value; one that cannot travel is told by its repr."""
    try:
        return encode(value)
    except TypeError:
        return repr(value)


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _theirs(error: BaseException) -> Any:
    """Return the traceback from the first frame outside of the agent; all of it when there is none."""
    found = error.__traceback__
    while found is not None and found.tb_frame.f_code.co_filename.startswith(_OURS):
        found = found.tb_next
    return found or error.__traceback__
