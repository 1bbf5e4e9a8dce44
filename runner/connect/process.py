"""The agent of this machine: a child process of the same Python."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from runner.agent.calls import ConsoleBytes, Heard, Inspect, Lift, Look, Quarantine, Request, Said, Take
from runner.agent.pipes import write_all
from runner.api.verdicts import LabError
from runner.connect.agent import AgentLink
from runner.connect.ended import Ended, how_it_ended
from runner.connect.link import Cancel

if TYPE_CHECKING:
    from runner.agent.quarantine import Quarantines

_ENDS_WITHIN = 9.5
"""Seconds that the agent gets to close its devices; it promises a little less."""
_LAST_LINES = 20
_LAST_LINES_WITHIN = 0.5
"""Seconds that the last lines may take once the process has ended."""
_NAME = "the agent of this machine"
_COMMAND = (sys.executable, "-P", "-m", "runner.agent")


class LocalAgent(AgentLink):
    """Starts the agent with the first call, and ends it with `close`.

    What is asked of the state of a bench alone is in files of this machine, and needs no process.
    """

    def __init__(
        self,
        *,
        sources: Mapping[str, tuple[str, str]],
        console: Callable[[ConsoleBytes], None],
        heard: Callable[[Heard], None],
        patience: float = 60.0,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        """Remember how to start it; `heard` gets what is printed beside the protocol."""
        super().__init__(
            lambda: Child(tuple(command), heard, name=_NAME),
            name=_NAME,
            sources=lambda: sources,
            console=console,
            heard=heard,
            patience=patience,
        )

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Run one request to its end and return its answer, still encoded."""
        match request:
            case Quarantine() | Lift() | Inspect():
                return _quarantines().answer(request)
            case Look():
                return _standing(request.bench)
            case Take(shared=True):
                _quarantines().refuse(request)
                return None
            case _:
                return super().call(request, hear, cancel=cancel)


class Child:
    """A child process as a port; `release` it at the end."""

    def __init__(self, command: Sequence[str], heard: Callable[[Heard], None], *, name: str) -> None:
        """Start it; `heard` gets what it prints to stderr. `name` is for people."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise LabError(f"cannot start {name}: {error}") from error
        self._heard = heard
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._input = _descriptor(self._process.stdin)
        self._output = _descriptor(self._process.stdout)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._listener = threading.Thread(target=self._listen, name="agent stderr", daemon=True)
        self._listener.start()

    def read(self, size: int, timeout: float) -> bytes | None:
        """Return what has come, ``b""`` at the end, None when the time is over."""
        if not self._poll.poll(timeout * 1000):
            return None
        return os.read(self._output, size)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        write_all(self._input, data)

    def last_words(self) -> str:
        """End it; say how it ended and, on the lines after that, what it last printed to stderr."""
        return str(self.end())

    def end(self) -> Ended:
        """End it and say how it ended, with the last lines it printed to stderr."""
        status = self._end()
        self._listener.join(_LAST_LINES_WITHIN)
        return Ended(status=status, how=how_it_ended(status), said="\n".join(self._lines))

    def release(self) -> None:
        """Close our ends of the pipes; only once the process has ended and nobody reads any more."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _end(self) -> int:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _listen(self) -> None:
        with open(
            _descriptor(self._process.stderr), encoding="utf-8", errors="backslashreplace", closefd=False
        ) as lines:
            for line in lines:
                text = line.rstrip("\n")
                self._lines.append(text)
                self._heard(Said(text=text))


def _standing(bench: str) -> dict[str, object]:
    from runner.agent.standing import own_locks, standing

    return standing(bench, own_locks(os.environ), _quarantines())


def _quarantines() -> Quarantines:
    from runner.agent.quarantine import Quarantines
    from runner.agent.state_files import state_folders

    return Quarantines(state_folders(os.environ))


def _descriptor(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise LabError("a child process has no pipe")
    return pipe.fileno()
