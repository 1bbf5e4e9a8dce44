"""Commands of a lab host that its owner has written down, called by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.api import (
    Driver,
    Duration,
    HostCommandInfo,
    HostCommands,
    Invocation,
    Options,
    RecipeFault,
    Unreachable,
    arg,
)
from runner.modules.core.variables import wrong_variable


class NamedCommand(Options):
    """One command, with what its users should know."""

    script: str = arg(help="what the shell runs; $0 is the command's name, $1, $2 … its arguments")
    description: str = arg(default="", help="what it does, for 'host_command_list'")
    limit: Duration | None = arg(default=None, help="how long it may take; without it the device's limit")


class Shell(Driver, HostCommands):
    """Commands of the host that can be called by name, and nothing else.

    A recipe gives arguments and variables, never the script: so who writes recipes may do on the
    host what its owner has written down. Variables that change which programs run are refused.

    Example::

        devices:
          shelf:
            driver: shell
            commands:
              hostname: hostname --fqdn
              reset_hub: {script: uhubctl -a cycle -p "$1", description: Power-cycle a port, limit: 20s}
    """

    unconfined = True

    commands: dict[str, str | NamedCommand] = arg(help="name: script, or a mapping with 'script'")
    shell: list[str] = arg(
        default=["/bin/bash", "-c"], help="what runs a script, which follows as an argument"
    )
    chdir: str = arg(default="", help="the folder on the host they run in; empty: the agent's")
    limit: Duration = arg(default=Duration("5m"), help="how long each of them may take")

    def open(self) -> None:
        """Look at the folder and the scripts; raise Unreachable or RecipeFault when they cannot be used."""
        if self.chdir and not Path(self.chdir).is_dir():
            raise Unreachable(f"there is no folder {self.chdir!r} on the host, which 'chdir' names")
        for name, command in self._commands.items():
            if not command.script.strip():
                raise RecipeFault(f"the command {name!r} has an empty script")

    def known(self) -> tuple[HostCommandInfo, ...]:
        """Return every command, as written."""
        return tuple(
            HostCommandInfo(
                name=name,
                description=each.description,
                limit=each.limit or self.limit,
            )
            for name, each in self._commands.items()
        )

    def invocation(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Invocation:
        """Return the shell with the script, the command's name and the arguments."""
        command = self._commands.get(name)
        if command is None:
            near = difflib.get_close_matches(name, self._commands, 1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self._commands) or 'none'}"
            )
            raise RecipeFault(f"there is no command {name!r}", hint=hint)
        for variable in env:
            if wrong := wrong_variable(variable):
                raise RecipeFault(wrong, hint="let the script take an argument instead")
        return Invocation(
            arguments=(*self.shell, command.script, name, *arguments),
            chdir=self.chdir,
            env=env,
            limit=command.limit or self.limit,
        )

    @property
    def _commands(self) -> Mapping[str, NamedCommand]:
        return {
            name: NamedCommand(script=each) if isinstance(each, str) else each
            for name, each in self.commands.items()
        }
