"""A supply that is switched by programs of the host."""

from __future__ import annotations

from runner.api import (
    Driver,
    Duration,
    LabError,
    Power,
    PowerReading,
    PowerState,
    PowerVerb,
    Unsupported,
    arg,
)
from runner.api.shell_line import printed_by
from runner.modules.power.printed import reading_of, state_of


class Command(Driver, Power):
    """A supply that is switched by programs of the host, for whatever has a command line of its own.

    Each command is a line for ``/bin/sh`` and must end with status 0. What has no command is not
    supported, and only `turn_on` and `turn_off` must be there.

    Example::

        devices:
          power: {driver: command, turn_on: uhubctl -a on -p 2, turn_off: uhubctl -a off -p 2}
          psu:
            driver: command
            turn_on: psu output on
            turn_off: psu output off
            tell_state: psu output
            tell_reading: psu measure --json
    """

    unconfined = True

    turn_on: str = arg(help="the command that switches it on")
    turn_off: str = arg(help="the command that switches it off")
    tell_state: str = arg(
        default="",
        help="the command that prints its state: on or off, 1 or 0, true or false; empty: it cannot be read",
    )
    tell_reading: str = arg(
        default="",
        help="the command that prints what it measures: JSON with any of voltage, current and power, or "
        "two or three numbers in this order, in V, A and W; empty: it cannot measure",
    )
    cycle_by: str = arg(default="", help="the command that takes the power away for a while by itself")
    force_on_by: str = arg(default="", help="the command that switches it on past what keeps it off")
    force_off_by: str = arg(default="", help="the command that switches it off past what keeps it on")
    rescue_by: str = arg(default="", help="the command that starts the board in its rescue mode")
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
        try:
            return state_of(printed)
        except ValueError as error:
            raise self._misread(self.tell_state, printed, error) from error

    def read(self) -> PowerReading | None:
        """Run the command that prints a reading; None when there is none."""
        if not self.tell_reading:
            return None
        printed = self._run(self.tell_reading)
        try:
            return reading_of(printed)
        except ValueError as error:
            raise self._misread(self.tell_reading, printed, error) from error

    def cycle(self) -> None:
        """Run the command that cycles it."""
        self._run_optional("cycle", self.cycle_by)

    def force_on(self) -> None:
        """Run the command that forces it on."""
        self._run_optional("force_on", self.force_on_by)

    def force_off(self) -> None:
        """Run the command that forces it off."""
        self._run_optional("force_off", self.force_off_by)

    def rescue(self) -> None:
        """Run the command that starts the board in its rescue mode."""
        self._run_optional("rescue", self.rescue_by)

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return what there is a command for."""
        commands: dict[PowerVerb, str] = {
            "cycle": self.cycle_by,
            "force_on": self.force_on_by,
            "force_off": self.force_off_by,
            "rescue": self.rescue_by,
        }
        return tuple(verb for verb, command in commands.items() if command)

    def label(self) -> str:
        """Return the command that switches it on: it names the outlet."""
        return self.turn_on

    def _run_optional(self, verb: PowerVerb, command: str) -> None:
        if not command:
            raise Unsupported(f"it has no command to {verb}", hint=f"give the device the option {verb}_by")
        self._run(command)

    def _misread(self, command: str, printed: str, error: ValueError) -> LabError:
        return LabError(
            f"{command!r} printed {printed.strip()!r}, {error}",
            evidence={"command": command, "output": printed},
        )

    def _run(self, command: str) -> str:
        return printed_by(command, self.limit)
