"""Run a command on the board over SSH."""

from __future__ import annotations

import shlex
from typing import Union

from runner.api import Context, Duration, Module, RecipeFault, RemoteShell, arg, device
from runner.api.program import Ended
from runner.modules.ssh.session import run_there, with_variables


class SshCommand(Module):
    r"""Run a command on the board over SSH, and check its exit status.

    Text is a line for the shell of who logs in, a list is a program and its arguments.

    Example::

        - ssh_command: uname -r
        - ssh_command: {command: [systemctl, is-active, "{{ unit }}"], timeout: 10s}
          expect: result.stdout == "active\n"
    """

    limited_by = "timeout"

    command: Union[str, list[str]] = arg(
        primary=True, help="a line for the shell, or a program and its arguments"
    )
    env: dict[str, str] = arg(default={}, help="variables of its environment")
    stdin: str = arg(default="", help="what it can read")
    status: list[int] = arg(default=[0], help="the exit statuses that are fine; empty: any")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")
    shell: RemoteShell = device(help="the board")

    def run(self, context: Context) -> Ended:
        """Run it and judge how it ended."""
        line = self.command if isinstance(self.command, str) else shlex.join(self.command)
        if not line.strip():
            raise RecipeFault("there is no command")
        return run_there(
            self.shell,
            with_variables(line, self.env),
            context,
            timeout=self.timeout,
            status=self.status,
            stdin=self.stdin,
        )
