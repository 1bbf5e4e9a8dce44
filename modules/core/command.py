"""Run a program beside the hardware."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Duration, Failed, Misfit, Module, RecipeFault, TimedOut, arg
from runner.api.program import Ended, how, run, tail
from runner.modules.core.variables import wrong_variable


class Command(Module):
    """Run a program on the bench's host and check its exit status.

    Text is a line for ``/bin/sh``, a list is a program and its arguments. Its output is said as
    it comes. When it has ended, or its time is over, all that it has started is ended, too. A host
    with a policy allows it with `commands = yes` only; `host_command` calls what the host's owner has
    written down.

    Example::

        - command: uname -r
        - command: {command: [sigrok-cli, --samples, 1000], timeout: 10s}
          expect: result.stdout is search('OK')
    """

    limited_by = "timeout"
    unconfined = True

    command: str | list[str] = arg(primary=True, help="a line for the shell, or a program and its arguments")
    chdir: str = arg(default="", help="the folder on the host to run it in; empty: the agent's")
    env: dict[str, str] = arg(
        default={},
        help="environment variables, besides those of the agent; none that changes which programs run",
    )
    stdin: str = arg(default="", help="what it can read")
    check: bool = arg(default=True, help="fail when its exit status is not 0")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse variables that change which programs run."""
        for name in given.get("env") or {}:
            if wrong := wrong_variable(name):
                yield Misfit(f"env.{name}", wrong, "write it into the command: NAME=value program")

    def run(self, context: Context) -> Ended:
        """Run it and judge how it ended."""
        line = self.command if isinstance(self.command, str) else shlex.join(self.command)
        if not line.strip():
            raise RecipeFault("there is no command")
        arguments = ["/bin/sh", "-c", line] if isinstance(self.command, str) else self.command
        ended, in_time = run(
            arguments, context, timeout=self.timeout, stdin=self.stdin, chdir=self.chdir, env=self.env
        )
        evidence = {"status": ended.status, "stdout": tail(ended.stdout), "stderr": tail(ended.stderr)}
        if not in_time:
            raise TimedOut(
                f"not ended within {self.timeout}: {line}",
                evidence={**evidence, "limit": float(self.timeout)},
                hint="give it more time with 'timeout'",
                result=ended,
            )
        if self.check and ended.status:
            raise Failed(f"{how(ended.status)}, expected 0: {line}", evidence=evidence, result=ended)
        return ended
