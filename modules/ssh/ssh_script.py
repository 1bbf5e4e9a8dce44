"""Run a script on the board over SSH."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import Context, Duration, FilePath, Misfit, Module, RemoteShell, arg, device
from runner.api.program import Ended
from runner.modules.ssh.session import run_there, with_variables


class SshScript(Module):
    """Run a script on the board over SSH: text of the recipe, or a file of this machine.

    It is read by the interpreter from its standard input; nothing is left on the board.

    Example::

        - ssh_script: |
            set -e
            modprobe can-raw
            ip link set can0 up type can bitrate 500000
        - ssh_script: {file: tools/collect.py, interpreter: python3 -, args: [--all]}
    """

    limited_by = "timeout"

    script: str = arg(default="", primary=True, help="the script")
    file: FilePath | None = arg(default=None, help="or the file that it is in")
    interpreter: str = arg(default="/bin/sh -s", help="what runs it; it reads its standard input")
    args: list[str] = arg(default=[], help="arguments of the script")
    env: dict[str, str] = arg(default={}, help="variables of its environment")
    status: list[int] = arg(default=[0], help="the exit statuses that are fine; empty: any")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")
    shell: RemoteShell = device(help="the board")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that there is no script, or two."""
        if {"script", "file"} <= given.keys() and bool(given["script"].strip()) == bool(given["file"]):
            yield Misfit("script", "ssh_script needs a 'script' or a 'file', and not both")

    def run(self, context: Context) -> Ended:
        """Run it and judge how it ended."""
        script = Path(self.file).read_text(encoding="utf-8") if self.file else self.script
        line = " ".join((self.interpreter, *map(shlex.quote, self.args)))
        return run_there(
            self.shell,
            with_variables(line, self.env),
            context,
            timeout=self.timeout,
            status=self.status,
            stdin=script,
        )
