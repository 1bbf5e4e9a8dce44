"""Call a command of the host that its owner has written down."""

from __future__ import annotations

from runner.api import Context, Duration, Failed, HostCommands, Module, TimedOut, arg, device
from runner.api.program import Ended, how, run, tail


class HostCommand(Module):
    """Call a command of the bench's host by the name that the inventory gives it.

    Its output is said as it comes. When it has ended, or its time is over, all that it has started
    is ended, too.

    Example::

        - host_command: hostname
        - host_command: {name: reset_hub, args: [2], env: {REASON: "board hangs"}}
          expect: result.stdout is search('done')
    """

    name: str = arg(primary=True, help="which command; 'host_command_list' shows them")
    args: list[str] = arg(default=[], help="what the script sees as $1, $2 …")
    env: dict[str, str] = arg(default={}, help="variables of its environment, besides those of the agent")
    stdin: str = arg(default="", help="what it can read")
    status: list[int] = arg(default=[0], help="the exit statuses that are fine; empty: any")
    limit: Duration | None = arg(default=None, help="how long it may take; without it as the inventory says")
    shell: HostCommands = device(help="what knows the commands")

    def predict(self, context: Context) -> str:
        """Look up the command; nothing is started."""
        del context
        self.shell.invocation(self.name, self.args, self.env)
        return f"would call {self.name!r} on the host"

    def run(self, context: Context) -> Ended:
        """Run it and judge how it ended."""
        called = self.shell.invocation(self.name, self.args, self.env)
        limit = self.limit or called.limit
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
