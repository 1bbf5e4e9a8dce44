"""Benches that their hosts have given back while we were using them."""

from __future__ import annotations

import threading

from runner.agent.calls import TakenAway
from runner.api.verdicts import LabError
from runner.engine.cancel import Cancellation


class Away:
    """Which benches were taken away from this run, and who is told of it."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._gone: dict[str, TakenAway] = {}
        self._told: dict[str, Cancellation] = {}

    def watch(self, bench: str, cancel: Cancellation) -> None:
        """Have what runs on a bench stopped by `cancel` when the bench is taken away from now on."""
        with self._lock:
            self._gone.pop(bench, None)
            self._told[bench] = cancel

    def hear(self, away: TakenAway) -> None:
        """Take note of a bench that is gone."""
        with self._lock:
            self._gone[away.bench] = away
            cancel = self._told.get(away.bench)
        if cancel is not None:
            cancel.cancel(away.why)

    def error(self, bench: str) -> LabError | None:
        """Return how a step ends whose bench was taken away; None while the bench is ours."""
        away = self._gone.get(bench)
        return None if away is None else LabError(away.why, evidence={"taken_away": away.why}, hint=away.hint)
