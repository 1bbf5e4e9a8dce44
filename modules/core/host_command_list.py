"""Say which commands of the host can be called."""

from __future__ import annotations

from runner.api import Context, HostCommandInfo, HostCommands, Module, Result, device


class Listed(Result):
    """The commands, in the order in which the inventory has them."""

    commands: tuple[HostCommandInfo, ...]


class HostCommandList(Module):
    """Say which commands of the host can be called by name, and what each does.

    Example::

        - host_command_list:
    """

    reads_only = True

    shell: HostCommands = device(help="what knows the commands")

    def run(self, context: Context) -> Listed:
        """List them."""
        commands = self.shell.known()
        for each in commands:
            context.log(f"{each.name}: {each.description or 'no description'} (up to {each.limit})")
        return Listed(commands=commands)
