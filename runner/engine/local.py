"""The context of modules that run on the controller."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.agent.calls import Advanced, Heard, Noted, Piece, Said, Saved, Saving
from runner.api.context import Context, Keep, Kept, Level
from runner.api.device_info import DeviceInfo
from runner.api.values import Duration
from runner.api.verdicts import Cancelled, RecipeFault, TimedOut
from runner.engine.cancel import Cancellation, Deadline
from runner.engine.described import described
from runner.model import Bench


class LocalContext(Context):
    """Says what it is told to whoever listens to the step."""

    def __init__(
        self,
        bench: Bench,
        cancel: Cancellation,
        deadline: Deadline,
        hear: Callable[[Heard], None],
        forward: Callable[[str, str, bool], str] | None = None,
        unforward: Callable[[str], object] | None = None,
    ) -> None:
        """Serve one step; `forward` and `unforward` do what it asks for, None where nothing may be."""
        self.bench = bench.name
        self._model = bench
        self.devices: Mapping[str, str] = {}
        self._cancel = cancel
        self._deadline = deadline
        self._hear = hear
        self._saving = threading.Lock()
        self._forward = forward
        self._unforward = unforward

    def log(self, text: str, level: Level = "info") -> None:
        """Say something in the report."""
        self._hear(Said(text=text, level=level))

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        """Say how far the step is."""
        self._hear(Advanced(done=done, total=total, unit=unit))

    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Put a number into the report."""
        self._hear(Noted(name=name, value=value, unit=unit))

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        """Put a file into the run's artifacts; `keep` is for files of the bench's host."""
        if keep is not None:
            raise RecipeFault(f"{name} is not on the bench's host")
        content = data.read_bytes() if isinstance(data, Path) else bytes(data)
        kept = Kept(len(content), hashlib.sha256(content).hexdigest())
        with self._saving:
            self._hear(Saving(name=name, size=len(content)))
            self._hear(Piece(data=content))
            self._hear(Saved(name=name, size=kept.size, sha256=kept.sha256))
        return kept

    @property
    def left(self) -> Duration:
        """Return the time until the step's hard limit."""
        return Duration(self._deadline.left)

    @property
    def cancelled(self) -> bool:
        """Tell whether the step must stop."""
        return self._cancel.cause is not None or self._deadline.left == 0

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when the step is cancelled."""
        return self._cancel.watch(lambda _cause: wake())

    def check_cancelled(self) -> None:
        """Raise when the step must stop."""
        if self._cancel.cause is not None:
            raise Cancelled(self._cancel.cause)
        if self._deadline.left == 0:
            raise TimedOut(f"time is over: {self._deadline.origin}")

    def forward(self, to: str, *, listen: str = "", reverse: bool = False) -> str:
        """Carry connections, until the test ends."""
        if self._forward is None:
            raise RecipeFault("a prediction forwards no port")
        return self._forward(to, listen, reverse)

    def unforward(self, address: str) -> None:
        """End the forwards that listen at, or lead to, an address."""
        if self._unforward is None:
            raise RecipeFault("a prediction ends no forward")
        self._unforward(address)

    def described(self) -> tuple[DeviceInfo, ...]:
        """Return what the inventory says of the bench's devices."""
        return described(self._model)

    def sleep(self, seconds: float) -> None:
        """Wait; a cancel or the limit ends it early."""
        enough = self._deadline.left >= seconds
        self._deadline.clock.wait(self._cancel, min(seconds, self._deadline.left))
        if self._cancel.cause is not None or not enough:
            self.check_cancelled()
