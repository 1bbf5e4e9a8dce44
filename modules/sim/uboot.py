"""The commands of a simulated board's U-Boot prompt (U-Boot documentation, "Shell commands")."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from runner.modules.sim.hardware import RAM_SIZE, RAM_START, VERSION, Hardware, fresh_environment
from runner.modules.sim.processor import INTERRUPT, Program, Restart, Sleep, complain, say
from runner.modules.sim.shell import Interrupted, Shell
from runner.modules.sim.words import Wrong

_BLOCK = 512
_RELEASE = re.compile(rb"[ -~]*?(\d+(?:\.\d+)+[-\w.]*)")
_MACRO = re.compile(r"\$\{(\w+)\}|\$\((\w+)\)")
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "-eq": lambda left, right: int(left, 0) == int(right, 0),
    "-ne": lambda left, right: int(left, 0) != int(right, 0),
    "-lt": lambda left, right: int(left, 0) < int(right, 0),
    "-gt": lambda left, right: int(left, 0) > int(right, 0),
}


class Booting(Exception):
    """The prompt is left for a kernel."""

    def __init__(self, release: str) -> None:
        """Keep the kernel's release."""
        super().__init__(release)
        self.release = release


def release_on(data: bytes) -> str | None:
    """Return the version number in the first line of an image: that is the system it holds.

    >>> release_on(b"nightly 6.6.30-rc1" + bytes([10, 0, 0]))
    '6.6.30-rc1'
    """
    match = _RELEASE.match(data.split(b"\n", 1)[0][:200])
    return match[1].decode() if match else None


def prompt_commands(hardware: Hardware, environment: dict[str, str]) -> Shell:
    """Return the shell of U-Boot's prompt; its variables are the environment."""
    commands = _Commands(hardware, environment)
    return Shell(
        commands={
            "bdinfo": commands.bdinfo,
            "boot": commands.boot,
            "bootd": commands.boot,
            "booti": commands.booti,
            "cmp": commands.cmp,
            "crc32": commands.crc32,
            "echo": _echo,
            "env": commands.env,
            "false": _false,
            "help": commands.help,
            "md": commands.md,
            "md.b": commands.md,
            "mmc": commands.mmc,
            "mw": commands.mw,
            "mw.b": commands.mw,
            "printenv": commands.printenv,
            "reset": _reset,
            "run": commands.run,
            "saveenv": commands.saveenv,
            "setenv": commands.setenv,
            "sleep": _sleep,
            "test": _test,
            "true": _true,
            "version": _version,
        },
        unknown=lambda name: complain(f"Unknown command '{name}' - try 'help'\n"),
        variables=environment,
    )


def run_line(shell: Shell, line: str, *, hush: bool = True) -> Program[int]:
    """Run a line as hush does, or as the simple parser: no quotes, ``;`` only, no ``$?``."""
    if hush:
        return (yield from shell.run(line))
    for command in line.split(";"):
        words = _MACRO.sub(lambda match: shell.variables.get(match[1] or match[2], ""), command).split()
        if words:
            shell.status = yield from shell.call(words)
            if shell.status:
                break
    return shell.status


class _Commands:
    def __init__(self, hardware: Hardware, environment: dict[str, str]) -> None:
        self._hardware = hardware
        self._environment = environment

    def bdinfo(self, _shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        return say(
            "boot_params = 0x0000000000000000\n"
            f"DRAM bank   = 0x{0:016x}\n-> start    = 0x{RAM_START:016x}\n-> size     = 0x{0x10000000:016x}\n"
            "flashstart  = 0x0000000000000000\nbaudrate    = 115200 bps\nrelocaddr   = 0x000000004ff4a000\n"
            f"ethaddr     = {self._environment.get('ethaddr', '(not set)')}\n"
        )

    def boot(self, shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        command = self._environment.get("bootcmd")
        if not command:
            return (yield from complain('## Error: "bootcmd" not defined\n'))
        return (yield from run_line(shell, command, hush=self._hardware.firmware.hush))

    def booti(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        start = self._address(words[1] if len(words) > 1 else self._environment.get("loadaddr", ""))
        release = release_on(bytes(self._hardware.memory[start : start + 256]))
        if release is None:
            return (yield from complain("Bad Linux ARM64 Image magic!\n"))
        fdt = self._environment.get("fdtcontroladdr", "")
        yield from say(f"## Flattened Device Tree blob at {fdt}\n   Booting using the fdt blob at 0x{fdt}\n")
        yield from say("\nStarting kernel ...\n\n")
        raise Booting(release)

    def cmp(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if len(words) != 4:
            return (yield from _usage(words[0]))
        one, two = self._address(words[1]), self._address(words[2])
        length = _hex(words[3])
        memory = self._hardware.memory
        same = memory[one : one + length] == memory[two : two + length]
        text = f"Total of {length} byte(s) were the same\n" if same else "byte differs\n"
        return (yield from say(text, int(not same)))

    def crc32(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if len(words) < 3:
            return (yield from _usage(words[0]))
        start, length = self._address(words[1]), _hex(words[2])
        value = zlib.crc32(self._hardware.memory[start : start + length])
        first = RAM_START + start
        return (yield from say(f"crc32 for {first:08x} ... {first + length - 1:08x} ==> {value:08x}\n"))

    def env(self, shell: Shell, words: list[str], stdin: str) -> Program[int]:
        names = {"print": "printenv", "set": "setenv", "save": "saveenv"}
        if len(words) > 1 and words[1] == "default":
            self._environment.clear()
            self._environment.update(fresh_environment(self._hardware.firmware))
            return (yield from say("## Resetting to default environment\n"))
        if len(words) < 2 or words[1] not in names:
            return (yield from _usage("env"))
        return (yield from shell.call([names[words[1]], *words[2:]], stdin))

    def help(self, shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        return say("".join(f"{name:<10}- see the documentation\n" for name in sorted(shell.commands)))

    def md(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if len(words) < 2:
            return (yield from _usage(words[0]))
        width = 1 if words[0].endswith(".b") else 4
        start = self._address(words[1])
        length = min(width * (_hex(words[2]) if len(words) > 2 else 0x40), RAM_SIZE - start)
        return (yield from say("".join(_dump(bytes(self._hardware.memory), start, length, width))))

    def mmc(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        size = self._hardware.medium_size
        if not size:
            return (yield from complain("MMC: no card present\n"))
        if words[1:] == ["info"]:
            return (yield from say(f"Device: mmc@0\nName: SIMSD\nCapacity: {size / 2**20:g} MiB\n"))
        if len(words) != 5 or words[1] not in ("read", "write"):
            return (yield from _usage("mmc"))
        start, block, count = self._address(words[2]), _hex(words[3]), _hex(words[4])
        yield from say(f"\nMMC {words[1]}: dev # 0, block # {block}, count {count} ... ")
        memory = self._hardware.memory
        if (block + count) * _BLOCK > size or start + count * _BLOCK > RAM_SIZE:
            return (yield from say("0 blocks: ERROR\n", 1))
        if words[1] == "read":
            memory[start : start + count * _BLOCK] = self._hardware.medium.read(
                block * _BLOCK, count * _BLOCK
            )
        else:
            self._hardware.medium.write(block * _BLOCK, bytes(memory[start : start + count * _BLOCK]))
        return (yield from say(f"{count} blocks {words[1]}: OK\n"))

    def mw(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if len(words) < 3:
            return (yield from _usage(words[0]))
        width = 1 if words[0].endswith(".b") else 4
        count = _hex(words[3]) if len(words) > 3 else 1
        start = self._address(words[1])
        value = (_hex(words[2]) % (1 << 8 * width)).to_bytes(width, "little")
        end = min(start + width * count, RAM_SIZE)
        self._hardware.memory[start:end] = (value * count)[: end - start]
        return 0

    def printenv(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        environment = self._environment
        if len(words) == 1:
            text = "".join(f"{name}={environment[name]}\n" for name in sorted(environment))
            size = sum(len(name) + len(value) + 2 for name, value in environment.items())
            return (yield from say(f"{text}\nEnvironment size: {size}/65532 bytes\n"))
        status = 0
        for name in words[1:]:
            if name in environment:
                yield from say(f"{name}={environment[name]}\n")
            else:
                status = yield from complain(f'## Error: "{name}" not defined\n')
        return status

    def run(self, shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        status = 0
        for name in words[1:]:
            command = self._environment.get(name)
            if command is None:
                return (yield from complain(f'## Error: "{name}" not defined\n'))
            status = yield from run_line(shell, command, hush=self._hardware.firmware.hush)
            if status:
                break
        return status

    def saveenv(self, _shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        yield from say("Saving Environment to flash... ")
        yield Sleep(0.02)
        self._hardware.stored.clear()
        self._hardware.stored.update(self._environment)
        return (yield from say("OK\n"))

    def setenv(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if len(words) < 2:
            return (yield from _usage("setenv"))
        if len(words) == 2:
            self._environment.pop(words[1], None)
        else:
            self._environment[words[1]] = " ".join(words[2:])
        return 0

    def _address(self, text: str) -> int:
        return min(max(_hex(text) - RAM_START, 0), RAM_SIZE)


def _dump(memory: bytes, start: int, length: int, width: int) -> list[str]:
    lines = []
    for position in range(start, start + length, 16):
        row = memory[position : min(position + 16, start + length)]
        cells = [row[each : each + width][::-1].hex() for each in range(0, len(row), width)]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{RAM_START + position:08x}: {' '.join(cells)}  {shown}\n")
    return lines


def _hex(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0


def _usage(name: str) -> Program[int]:
    return complain(f"{name} - see the documentation\n\nUsage:\n{name} ...\n")


def _echo(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    bare = words[1:2] == ["-n"]
    return say(" ".join(words[1 + bare :]) + ("" if bare else "\n"))


def _false(_shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
    return say("", 1)


def _true(_shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
    return say("")


def _reset(_shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
    yield from say("resetting ...\n")
    yield Restart()
    return 0


def _sleep(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    try:
        seconds = float(words[1])
    except (IndexError, ValueError):
        return (yield from _usage("sleep"))
    if (yield Sleep(seconds, interruptible=True)) == INTERRUPT:
        raise Interrupted
    return 0


def _test(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    arguments = words[1:]
    if len(arguments) == 3 and arguments[1] in _TESTS:
        try:
            return (yield from say("", int(not _TESTS[arguments[1]](arguments[0], arguments[2]))))
        except ValueError as error:
            raise Wrong(str(error)) from error
    if len(arguments) == 2 and arguments[0] in ("-n", "-z"):
        return (yield from say("", int(bool(arguments[1]) != (arguments[0] == "-n"))))
    return (yield from say("", 1))


def _version(_shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
    return say(f"{VERSION}\n\naarch64-sim-gcc (simulated) 12.2.0\nGNU ld (simulated) 2.40\n")
