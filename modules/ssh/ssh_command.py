"""Run a command on the board over SSH."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Union

from runner.api import Context, Duration, Misfit, Module, RecipeFault, RemoteShell, arg, device
from runner.api.program import Ended
from runner.api.unneeded import unneeded, unneeded_misfits
from runner.modules.ssh.session import run_there, with_variables


class SshCommand(Module):
    r"""Run a command on the board over SSH, and check its exit status.

    Text is a line for the shell of who logs in, a list is a program and its arguments. With `creates`
    or `removes` it is run only when the file tells that it has not been yet; else the result is that of
    a command that says nothing.

    Example::

        - ssh_command: uname -r
        - ssh_command: {command: [systemctl, is-active, "{{ unit }}"], timeout: 10s}
          expect: result.stdout == "active\n"
        - ssh_command: {command: ssh-keygen -A, creates: /etc/ssh/ssh_host_ed25519_key}
    """

    limited_by = "timeout"
    reads_when = "read_only"

    command: Union[str, list[str]] = arg(
        primary=True, help="a line for the shell, or a program and its arguments"
    )
    env: dict[str, str] = arg(default={}, help="variables of its environment")
    stdin: str = arg(default="", help="what it can read")
    status: list[int] = arg(default=[0], help="the exit statuses that are fine; empty: any")
    creates: str = arg(default="", help="a file on the board: it is not run when that is there")
    removes: str = arg(default="", help="a file on the board: it is not run when that is not there")
    read_only: bool = arg(default=False, help="it changes nothing: it is run under --check, too")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")
    shell: RemoteShell = device(help="the board")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse two files that would each tell something else."""
        return unneeded_misfits(given)

    def predict(self, context: Context) -> str:
        """Look whether the file is there; nothing else is asked of the board."""
        if not (self.creates or self.removes):
            return ""
        why = self._unneeded(context)
        return f"{why}: nothing would change" if why else f"would run on the board: {self.command}"

    def run(self, context: Context) -> Ended:
        """Run it and judge how it ended."""
        line = self.command if isinstance(self.command, str) else shlex.join(self.command)
        if not line.strip():
            raise RecipeFault("there is no command")
        if why := self._unneeded(context):
            context.log(f"nothing is run: {why}")
            return Ended(status=0, stdout="", stderr="", elapsed=Duration(0), dropped=0)
        return run_there(
            self.shell,
            with_variables(line, self.env),
            context,
            timeout=self.timeout,
            status=self.status,
            stdin=self.stdin,
        )

    def _unneeded(self, context: Context) -> str:
        def exists(path: str) -> bool:
            line = f"test -e {shlex.quote(path)}"
            asked = run_there(self.shell, line, context, timeout=self.timeout, status=[0, 1], quiet=True)
            return asked.status == 0

        return unneeded(self.creates, self.removes, exists)
