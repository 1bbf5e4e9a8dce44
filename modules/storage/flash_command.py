"""Images put onto a board by the tools of vendors: whatever has a command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from runner.api import Context, Driver, Duration, LabError, Misfit, Needs, Programmer, RecipeFault, arg
from runner.api.program import how, run, tail

_PLACEHOLDER = re.compile(r"\{(image|target)\}")
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3})(?:\.\d+)? ?%")


@dataclass(frozen=True)
class Tool:
    """How a tool is called; `*` stands for the arguments of the bench.

    `target`: what is meant without one; None when one is needed, said by `wants`.
    `package`: Debian's. `refuses`: what it prints when it has failed with status 0 all the same.
    """

    words: tuple[str, ...]
    package: str
    target: str | None = ""
    wants: str = ""
    refuses: str = ""


_TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        # OpenOCD User's Guide, 12.4 "Flash Programming Commands": program
        "openocd": Tool(
            ("openocd", "*", "-c", "program {{image}} {target} verify reset exit"),
            "openocd",
            refuses=r"\*\* (?:Programming|Verify) Failed \*\*",
        ),
        # mfgtools' README: a built-in script is written with -b among the arguments
        "uuu": Tool(("uuu", "*", "{image}"), "mfgtools"),
        "fastboot": Tool(
            ("fastboot", "*", "flash", "{target}", "{image}"), "fastboot", None, "the partition's name"
        ),
        # esptool's documentation, "Write Binary Data to Flash"; 5.x knows the old name of the command, too
        "esptool": Tool(("esptool", "*", "write_flash", "{target}", "{image}"), "esptool", "0x0"),
        # the manual page of dfu-util
        "dfu-util": Tool(
            ("dfu-util", "*", "--alt", "{target}", "--download", "{image}"),
            "dfu-util",
            "0",
            refuses=r"(?i)cannot open DFU device|No DFU capable USB device|dfu-util: Error",
        ),
        "bmaptool": Tool(
            ("bmaptool", "copy", "*", "{image}", "{target}"), "bmap-tools", None, "the block device"
        ),
        # avrdude's manual: MEMORY:w:FILE:a, the format of the file is found out
        "avrdude": Tool(("avrdude", "*", "-U", "{target}:w:{image}:a"), "avrdude", "flash"),
    }
)


class FlashCommand(Driver, Programmer):
    """A tool of the host that puts image files onto a board, written to by `flash`.

    A preset knows how the tool is called; `arguments` say which probe, port or board it is. Any
    other tool is a `command`, with {image} and {target} where these belong. It must end with status 0.
    The presets were tried with the programs themselves only where docs/how-to/flash-boards.md says so.

    Example::

        devices:
          flash: {driver: flash_command, preset: openocd, arguments: [-f, board/st_nucleo_f4.cfg]}
          eeprom: {driver: flash_command, command: [flashrom, -p, ch341a_spi, -w, "{image}"]}
    """

    unconfined = True

    preset: Literal["", "openocd", "uuu", "fastboot", "esptool", "dfu-util", "bmaptool", "avrdude"] = arg(
        default="", primary=True, help="a tool whose command line is known"
    )
    command: list[str] = arg(default=[], help="instead: the program and its arguments")
    executable: str = arg(default="", help="where the preset's program is; empty: on PATH")
    arguments: list[str] = arg(default=[], help="what the preset's program is told besides")
    env: dict[str, str] = arg(default={}, help="variables of its environment")
    expect: str = arg(default="", help="a regular expression for what it must print to have succeeded")
    limit: Duration = arg(default=Duration("10m"), help="how long it may take")

    @classmethod
    def misfits(cls, given: Mapping[str, object]) -> tuple[Misfit, ...]:
        """Tell whether it is clear what to run, and that `expect` can be understood."""
        found = []
        if bool(given.get("preset")) == bool(given.get("command")):
            found.append(Misfit("command", "either 'preset' or 'command' says what is run"))
        command = given.get("command")
        if isinstance(command, list) and command and not any("{image}" in str(each) for each in command):
            found.append(Misfit("command", "nothing in it is {image}, the file to be flashed"))
        try:
            re.compile(str(given.get("expect") or ""))
        except re.error as error:
            found.append(Misfit("expect", f"this is no regular expression: {error}"))
        return tuple(found)

    def needs(self) -> Needs:
        """Return the program."""
        tool = self._tool()
        return Needs(programs={self.executable or tool.words[0]: tool.package})

    def command_line(self, image: str, target: str) -> list[str]:
        """Return the command line for an image; raise ValueError when a target is needed or is not known."""
        tool = self._tool()
        where = target or tool.target
        if where is None:
            raise ValueError(f"{self.preset} needs a target: {tool.wants}")
        if target and not any("{target}" in each for each in tool.words):
            raise ValueError(f"{shlex.join(tool.words)} has no {{target}} to put {target!r} in")
        if self.preset == "openocd" and set("{}") & set(image + where):
            raise RecipeFault(f"OpenOCD cannot take the braces in {image!r} {where!r}")
        values = {"image": image, "target": where}
        words: list[str] = []
        for word in tool.words:
            if word == "*":
                words += self.arguments
            else:
                words.append(_PLACEHOLDER.sub(lambda found: values[found[1]], word))
        return [self.executable or words[0], *words[1:]]

    def program(self, image: str, target: str, context: Context) -> None:
        """Run the tool; raise LabError with its last words when it fails."""
        words = self.command_line(image, target)
        shown = shlex.join(words)
        ended, in_time = run(words, context, timeout=self.limit, env=self.env, hear=_progress(context))
        printed = ended.stdout + ended.stderr
        evidence = {"command": shown, "status": ended.status, "output": tail(printed)}
        if not in_time:
            raise LabError(
                f"{words[0]} did not end within {self.limit}: {shown}",
                evidence={**evidence, "limit": float(self.limit)},
                hint="give it more time with the option 'limit' of its device",
            )
        why = self._failure(ended.status, printed)
        if why:
            last = next((line for line in reversed(printed.splitlines()) if line.strip()), "")
            raise LabError(f"{why}: {shown}" + (f": {last.strip()}" if last else ""), evidence=evidence)

    def _failure(self, status: int, printed: str) -> str:
        refuses = self._tool().refuses
        if status:
            return f"{how(status)}, expected 0"
        if refuses and (found := re.search(refuses, printed)):
            return f"it printed {found[0]!r}"
        if self.expect and not re.search(self.expect, printed):
            return f"it did not print {self.expect!r}"
        return ""

    def _tool(self) -> Tool:
        return _TOOLS[self.preset] if self.preset else Tool(tuple(self.command), "")


def _progress(context: Context) -> Callable[[str], None]:
    def hear(text: str) -> None:
        found = _PERCENT.findall(text)
        if found and int(found[-1]) <= 100:
            context.progress(int(found[-1]), 100, "%")

    return hear
