"""Run several commands at the board's shell."""

from __future__ import annotations

from runner.api import Context, Duration, Failed, Module, Options, Result, arg, device
from runner.console import Console, Ran

_TAIL = 20


class Line(Options):
    """One command of a script."""

    command: str = arg(primary=True, help="the command line")
    check: bool | None = arg(
        default=None, help="fail when its exit status is not 0; the script's own word when left out"
    )
    timeout: Duration | None = arg(
        default=None, help="how long it may take; the script's own limit when left out"
    )


class LineRan(Result):
    """One command that has run."""

    command: str
    output: str
    """What it printed, without kernel messages and without newlines at the end."""
    status: int | None
    """Its exit status; None where the shell cannot tell."""
    elapsed: Duration
    checked: bool
    """Whether its status counts."""

    @property
    def bad(self) -> bool:
        """Whether it must not have ended like this."""
        return self.checked and bool(self.status)


class Scripted(Result):
    """What the commands printed and how each ended, in their order."""

    commands: tuple[LineRan, ...]
    failed: int
    """How many of those that are checked ended with another status than 0."""
    elapsed: Duration


class ConsoleScript(Module):
    """Run several commands at the shell of the board, each with its own output and status.

    They run in the same shell, one after the other: variables and the folder stay. The first one
    that fails ends the script, unless `keep_going` says to run the others first.

    Example::

        - console_script:
            - cd /sys/class/net
            - {command: cat eth0/carrier, timeout: 5s}
            - {command: test -e wlan0, check: false}
          register: net
          expect: net.commands[1].output == '1'
        - console_script: {commands: [selftest ram, selftest flash], keep_going: true, timeout: 5m}
    """

    commands: list[Line] = arg(primary=True, help="command lines, or mappings with their own limits")
    check: bool = arg(default=True, help="fail when an exit status is not 0")
    keep_going: bool = arg(default=False, help="run the others, too, before failing")
    timeout: Duration = arg(default=Duration("60s"), help="how long each command may take")
    console: Console = device(help="the console with the shell")

    def run(self, context: Context) -> Scripted:
        """Run them and judge each status."""
        done: list[LineRan] = []
        for number, line in enumerate(self.commands):
            context.progress(number, len(self.commands), "commands")
            ran = self.console.run(line.command, context, timeout=line.timeout or self.timeout)
            done.append(_of(line, ran, checked=self.check if line.check is None else line.check))
            if done[-1].bad and not self.keep_going:
                break
        result = Scripted(
            commands=tuple(done),
            failed=sum(each.bad for each in done),
            elapsed=Duration(sum(each.elapsed for each in done)),
        )
        if result.failed:
            raise self._failure(result)
        return result

    def _failure(self, result: Scripted) -> Failed:
        number, first = next((number, each) for number, each in enumerate(result.commands, 1) if each.bad)
        others = f"; {result.failed - 1} more failed" if result.failed > 1 else ""
        left = len(self.commands) - len(result.commands)
        not_run = f"; {left} not run" if left else ""
        return Failed(
            f"command {number} of {len(self.commands)} ended with status {first.status}, expected 0: "
            f"{first.command}{others}{not_run}",
            evidence={
                "status": first.status,
                "expected": 0,
                "output": "\n".join(first.output.splitlines()[-_TAIL:]),
                "failed": [each.command for each in result.commands if each.bad],
            },
            result=result,
        )


def _of(line: Line, ran: Ran, *, checked: bool) -> LineRan:
    return LineRan(
        command=line.command, output=ran.output, status=ran.status, elapsed=ran.elapsed, checked=checked
    )
