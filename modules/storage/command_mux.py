"""A storage mux that is switched by programs of the host."""

from __future__ import annotations

from runner.api import Driver, Duration, LabError, MuxPosition, Needs, StorageMux, Unsupported, arg
from runner.api.medium import there
from runner.api.shell_line import printed_by

_WORDS: dict[str, MuxPosition] = {"host": "host", "dut": "dut", "off": "off"}


class CommandMux(Driver, StorageMux):
    """A storage mux that is switched by programs of the host, for whatever has a command line of its own.

    Each command is a line for ``/bin/sh`` and must end with status 0.

    Example::

        devices:
          card:
            driver: command_mux
            to_host: my-mux --serial 7 host
            to_dut: my-mux --serial 7 board
            tell_position: my-mux --serial 7 --query
            medium_at: /dev/disk/by-path/pci-0000:00:14.0-usb-0:2.1:1.0-scsi-0:0:0:0
    """

    unconfined = True

    to_host: str = arg(help="the command that gives the medium to the host")
    to_dut: str = arg(help="the command that gives it to the board")
    to_off: str = arg(default="", help="the command that takes it from both; empty: it has no such position")
    tell_position: str = arg(
        default="", help="the command that prints who has it: host, dut or off; empty: it cannot be read"
    )
    medium_at: str = arg(help="its block device on the host: a path that stays, as /dev/disk/by-path/…")
    limit: Duration = arg(default=Duration("30s"), help="how long each command may take")

    def needs(self) -> Needs:
        """Return the medium."""
        return Needs(nodes=(self.medium_at,))

    def switch(self, position: MuxPosition) -> None:
        """Run the command for a position."""
        command = {"host": self.to_host, "dut": self.to_dut, "off": self.to_off}[position]
        if not command:
            raise Unsupported("it has no command to_off", hint="give the device the option to_off")
        printed_by(command, self.limit)

    def position(self) -> MuxPosition | None:
        """Run the command that prints it; None when there is none."""
        if not self.tell_position:
            return None
        printed = printed_by(self.tell_position, self.limit)
        position = _WORDS.get(printed.strip().lower())
        if position is None:
            raise LabError(
                f"{self.tell_position!r} printed {printed.strip()!r}, expected host, dut or off",
                evidence={"command": self.tell_position, "output": printed},
            )
        return position

    def medium(self) -> str:
        """Return the path of the medium; raise Unreachable while it is not there."""
        return there(self.medium_at)

    def label(self) -> str:
        """Return the command that gives it to the host: it names the mux."""
        return self.to_host
