"""Call a command of the host that its owner has written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import (
    Context,
    Duration,
    Failed,
    HostCommands,
    Invocation,
    Misfit,
    Module,
    TimedOut,
    arg,
    device,
)
from runner.api.program import Ended, how, run, tail
from runner.api.unneeded import unneeded, unneeded_misfits


class HostCommand(Module):
    """Call a command of the bench's host by the name that the inventory gives it.

    Its output is said as it comes. When it has ended, or its time is over, all that it has started
    is ended, too. With `creates` or `removes` it is run only when the file tells that it has not been yet;
    else the result is that of a command that says nothing.

    Example::

        - host_command: hostname
        - host_command: {name: make_key, creates: /srv/keys/board.pem}
        - host_command: {name: reset_hub, args: [2], env: {REASON: "board hangs"}}
          expect: result.stdout is search('done')
    """

    name: str = arg(primary=True, help="which command; 'host_command_list' shows them")
    args: list[str] = arg(default=[], help="what the script sees as $1, $2 …")
    env: dict[str, str] = arg(default={}, help="variables of its environment, besides those of the agent")
    stdin: str = arg(default="", help="what it can read")
    status: list[int] = arg(default=[0], help="the exit statuses that are fine; empty: any")
    limit: Duration | None = arg(default=None, help="how long it may take; without it as the inventory says")
    creates: str = arg(default="", help="a file on the host: it is not run when that is there")
    removes: str = arg(default="", help="a file on the host: it is not run when that is not there")
    read_only: bool = arg(default=False, help="it changes nothing: it is run under --check, too")
    shell: HostCommands = device(help="what knows the commands")

    reads_when = "read_only"

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse two files that would each tell something else."""
        return unneeded_misfits(given)

    def predict(self, context: Context) -> str:
        """Look up the command; nothing is started."""
        del context
        called = self.shell.invocation(self.name, self.args, self.env)
        if why := self._unneeded(called):
            return f"{why}: nothing would change"
        return f"would call {self.name!r} on the host"

    def run(self, context: Context) -> Ended:
        """Run it and judge how it ended."""
        called = self.shell.invocation(self.name, self.args, self.env)
        limit = self.limit or called.limit
        if why := self._unneeded(called):
            context.log(f"{self.name!r} is not run: {why}")
            return Ended(status=0, stdout="", stderr="", elapsed=Duration(0), dropped=0)
        ended, in_time = run(
            called.arguments, context, timeout=limit, stdin=self.stdin, chdir=called.chdir, env=called.env
        )
        evidence = {"status": ended.status, "stdout": tail(ended.stdout), "stderr": tail(ended.stderr)}
        if not in_time:
            raise TimedOut(
                f"{self.name!r} has not ended within {limit}",
                evidence={**evidence, "limit": float(limit)},
                hint="give it more time with 'limit', here or with the command in the inventory",
                result=ended,
            )
        if self.status and ended.status not in self.status:
            wanted = " or ".join(map(str, self.status))
            raise Failed(
                f"{self.name!r}: {how(ended.status)}, expected {wanted}", evidence=evidence, result=ended
            )
        return ended

    def _unneeded(self, called: Invocation) -> str:
        return unneeded(self.creates, self.removes, lambda path: Path(called.chdir, path).exists())
