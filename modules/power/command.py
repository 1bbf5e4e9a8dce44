"""A supply that is switched by programs of the host."""

from __future__ import annotations

import subprocess
import time

from runner.api import Driver, Duration, LabError, Power, PowerState, arg
from runner.api.process import end, popen

_WORDS: dict[str, PowerState] = {
    "on": "on",
    "1": "on",
    "true": "on",
    "off": "off",
    "0": "off",
    "false": "off",
}


class Command(Driver, Power):
    """A supply that is switched by programs of the host, for whatever has a command line of its own.

    Each command is a line for ``/bin/sh`` and must end with status 0.

    Example::

        devices:
          power: {driver: command, turn_on: uhubctl -a on -p 2, turn_off: uhubctl -a off -p 2}
    """

    unconfined = True

    turn_on: str = arg(help="the command that switches it on")
    turn_off: str = arg(help="the command that switches it off")
    tell_state: str = arg(
        default="",
        help="the command that prints its state: on or off, 1 or 0, true or false; empty: it cannot be read",
    )
    limit: Duration = arg(default=Duration("30s"), help="how long each of them may take")

    def on(self) -> None:
        """Run the command that switches it on."""
        self._run(self.turn_on)

    def off(self) -> None:
        """Run the command that switches it off."""
        self._run(self.turn_off)

    def state(self) -> PowerState | None:
        """Run the command that prints the state; None when there is none."""
        if not self.tell_state:
            return None
        printed = self._run(self.tell_state)
        state = _WORDS.get(printed.strip().lower())
        if state is None:
            raise LabError(
                f"{self.tell_state!r} printed {printed.strip()!r}, expected on or off",
                evidence={"command": self.tell_state, "output": printed},
            )
        return state

    def label(self) -> str:
        """Return the command that switches it on: it names the outlet."""
        return self.turn_on

    def _run(self, command: str) -> str:
        started = time.monotonic()
        process = popen(["/bin/sh", "-c", command], stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired as error:
            raise LabError(
                f"{command!r} did not end within {self.limit}",
                evidence={"command": command, "limit": float(self.limit)},
                hint="give it more time with the option 'limit'",
            ) from error
        finally:
            end(process)
            if process.stdout:
                process.stdout.close()
        printed = output.decode(errors="replace")
        if process.returncode:
            last = printed.strip().rpartition("\n")[2]
            raise LabError(
                f"exit status {process.returncode}, expected 0: {command}" + (f": {last}" if last else ""),
                evidence={
                    "command": command,
                    "status": process.returncode,
                    "output": printed,
                    "seconds": round(time.monotonic() - started, 3),
                },
            )
        return printed
