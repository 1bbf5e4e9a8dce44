"""Read and change U-Boot's environment."""

from __future__ import annotations

import re

from runner.api import Context, Duration, Failed, Module, RecipeFault, Result, arg, device
from runner.console import Console

_COMPLAINS = re.compile(r"(?i)fail|error|unable|unknown command")
"""What tells that saving went wrong where the parser knows no status."""

_VARIABLE = re.compile(r"^([^\s=]+)=((?:[^\\\n]|\\[\s\S])*)$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\s\S])")
"""As printenv without a name prints them (U-Boot, lib/hashtable.c, hexport_r)."""


class Environment(Result):
    """The variables that were asked for or changed; null for one that is not defined."""

    values: dict[str, str | None]
    """As they are now."""
    before: dict[str, str | None]
    changed: bool
    saved: bool
    """Whether the environment was kept over a reset."""


class UbootEnv(Module):
    """Read, set and delete variables of U-Boot's environment, at its prompt.

    What has its value already is left alone; what is set is read back, with every quote, space,
    dollar and newline. An empty value deletes, as null does: U-Boot knows no empty variables.

    Example::

        - uboot_env: bootcmd
          expect: "'mmc' in result.values.bootcmd"
        - uboot_env: {all: true}
        - uboot_env: {set: {bootdelay: 3, bootargs: null}, save: true}
    """

    get: str | list[str] = arg(default=[], primary=True, help="the variables to read")
    all: bool = arg(default=False, help="read every variable")
    set: dict[str, str | None] = arg(default={}, help="variables and their new values; null deletes one")
    save: bool = arg(default=False, help="keep the environment over a reset (saveenv)")
    timeout: Duration = arg(default=Duration("10s"), help="how long U-Boot may take for each of them")
    console: Console = device(help="the console with U-Boot")

    def run(self, context: Context) -> Environment:
        """Read, change what differs, and save."""
        wanted = [self.get] if isinstance(self.get, str) else self.get
        if not (wanted or self.all or self.set or self.save):
            raise RecipeFault("uboot_env needs something to get, to set or to save")
        before: dict[str, str | None] = self._every(context) if self.all else {}
        before |= {name: self._read(name, context) for name in dict.fromkeys((*wanted, *self.set))}
        changes = {name: value for name, value in self.set.items() if before[name] != (value or None)}
        for name, value in changes.items():
            self._write(name, value, context)
        if self.save:
            self._save(context)
        after = {name: (value or None) for name, value in changes.items()}
        return Environment(values={**before, **after}, before=before, changed=bool(changes), saved=self.save)

    def _every(self, context: Context) -> dict[str, str | None]:
        """Take what printenv prints apart: newlines and backslashes of values stand behind a backslash."""
        ran = self.console.run_uboot("printenv", context, timeout=self.timeout)
        found: dict[str, str | None] = {
            each[1]: _ESCAPED.sub(r"\1", each[2]) for each in _VARIABLE.finditer(ran.output)
        }
        if not found:
            raise Failed("printenv printed no variables", evidence={"output": ran.output})
        return found

    def _read(self, name: str, context: Context) -> str | None:
        return self.console.get_env(name, context, timeout=self.timeout)

    def _write(self, name: str, value: str | None, context: Context) -> None:
        self.console.set_env(name, value, context, timeout=self.timeout)
        now = self._read(name, context)
        if now != (value or None):
            raise Failed(
                f"{name} is {now!r} after it was set to {value!r}",
                evidence={"name": name, "expected": value, "actual": now},
            )

    def _save(self, context: Context) -> None:
        ran = self.console.run_uboot("saveenv", context, timeout=self.timeout)
        unknown = ran.status is None and _COMPLAINS.search(ran.output)
        if ran.status or unknown:
            said = " / ".join(line.strip() for line in ran.output.splitlines() if line.strip())
            raise Failed(
                f"the environment is changed but not saved, saveenv said {said[-200:]!r}",
                evidence={"status": ran.status, "output": ran.output},
                hint="has this U-Boot a place to keep its environment, and may it be written?",
            )
