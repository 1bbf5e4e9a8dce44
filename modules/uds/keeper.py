"""Keeps a session of a control unit open: TesterPresent, again and again (ISO 14229-1, 9.6)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.api import Cancelled, Context, Duration, LabError, Verdict
from runner.api.unattended import Unattended


class Keeper:
    """Sends something each `every` until it is stopped."""

    def __init__(self, send: Callable[[Context], None], every: Duration) -> None:
        """Send it once, then start."""
        self._send = send
        self._every = every
        self._failed: Verdict | None = None
        self._unattended = Unattended()
        self._send(self._unattended)
        self._thread = threading.Thread(target=self._run, name="TesterPresent", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; raise LabError when it had ended by itself."""
        self._unattended.stop()
        self._thread.join()
        if self._failed is not None:
            raise LabError(f"TesterPresent had ended: {self._failed}") from self._failed

    def _run(self) -> None:
        try:
            while True:
                self._unattended.sleep(self._every)
                self._send(self._unattended)
        except Cancelled:
            return
        except Verdict as error:
            self._failed = error
