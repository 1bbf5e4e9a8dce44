"""How a call ended badly becomes the exception that the module raised."""

from __future__ import annotations

from runner.agent.calls import Ended
from runner.api import verdicts
from runner.api.verdicts import Verdict
from runner.connect.link import Crash


def exception_of(ended: Ended) -> Verdict | Crash:
    """Return the verdict that a module raised beside the hardware, or its crash."""
    cls = getattr(verdicts, ended.verdict, None)
    if not (isinstance(cls, type) and issubclass(cls, Verdict)):
        return Crash(ended.message, ended.traceback)
    error: Verdict = cls(ended.message, evidence=ended.evidence, hint=ended.hint, result=ended.result)
    if ended.kind != cls.kind:
        vars(error)["kind"] = ended.kind
    return error
