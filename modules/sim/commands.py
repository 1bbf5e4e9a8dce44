"""The commands of the simulated board's Linux that know the board."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from runner.modules.sim.files import FileTree
from runner.modules.sim.kernel import Kernel
from runner.modules.sim.processor import INTERRUPT, Key, Out, Program, Sleep, complain, say
from runner.modules.sim.shell import CommandBody, Interrupted, Leave, Return, Shell
from runner.modules.sim.texts import TEXT_COMMANDS
from runner.modules.sim.tpm_tools import tpm_tools
from runner.modules.sim.words import Unfinished

SENSORS: Mapping[str, float] = {"temp": 23.5, "accel": 9.81, "light": 412.0}
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "-eq": lambda left, right: left == right,
    "-ne": lambda left, right: left != right,
    "-lt": lambda left, right: left < right,
    "-le": lambda left, right: left <= right,
    "-gt": lambda left, right: left > right,
    "-ge": lambda left, right: left >= right,
}


class Userland:
    """What runs on the kernel: files, name, terminal settings, sensors."""

    def __init__(self, kernel: Kernel) -> None:
        """Start with the files of the system that was booted."""
        self.kernel = kernel
        self.hostname = kernel.hardware.system.hostname
        self.echo = True
        """Whether the terminal repeats what is typed."""
        self.samples: dict[str, int] = {}
        self.files = FileTree(made=self._made(), acting=self._acting())

    def _made(self) -> dict[str, Callable[[], str]]:
        kernel = self.kernel
        tpm = kernel.hardware.tpm
        chip = ("/dev/tpm0", "/dev/tpmrm0") if tpm is not None and tpm.fault != "absent" else ()
        return {
            **dict.fromkeys(chip, str),
            "/dev/mmcblk0": self._medium,
            "/etc/hostname": lambda: f"{self.hostname}\n",
            "/etc/os-release": lambda: f'NAME="SimOS"\nID=simos\nVERSION_ID="{kernel.release}"\n',
            "/proc/cmdline": lambda: f"{kernel.bootargs}\n",
            "/proc/cpuinfo": lambda: "processor\t: 0\nBogoMIPS\t: 48.00\nCPU part\t: 0xd07\n",
            "/proc/meminfo": lambda: "MemTotal:         239984 kB\nMemFree:          201316 kB\n",
            "/proc/mounts": lambda: "/dev/mmcblk0 / ext4 ro,relatime 0 0\n",
            "/proc/sys/kernel/printk": lambda: f"{kernel.console_level}\t4\t1\t7\n",
            "/proc/uptime": lambda: f"{kernel.uptime:.2f} {kernel.uptime:.2f}\n",
            "/proc/version": lambda: f"Linux version {kernel.release} (build@sim) #1 SMP PREEMPT\n",
        }

    def _acting(self) -> dict[str, Callable[[str], str]]:
        return {
            "/dev/kmsg": self._to_kernel_log,
            "/proc/sys/kernel/printk": self._set_console_level,
            "/proc/sysrq-trigger": self._system_request,
        }

    def _medium(self) -> str:
        hardware = self.kernel.hardware
        return hardware.medium.read(0, hardware.medium_size).decode("latin-1")

    def _to_kernel_log(self, content: str) -> str:
        self.kernel.hardware.processor.spawn(_printing(self.kernel, content.strip()))
        return ""

    def _set_console_level(self, content: str) -> str:
        try:
            self.kernel.console_level = int(content.split(maxsplit=1)[0])
        except (IndexError, ValueError):
            return "invalid argument"
        return ""

    def _system_request(self, content: str) -> str:
        if content[:1] == "c":
            self.kernel.panic("sysrq triggered crash")
        elif content[:1] == "b":
            self.kernel.hardware.processor.spawn(self.kernel.restart())
        return ""


def make_shell(userland: Userland, user: str, prompt: str) -> Shell:
    """Return a shell for somebody."""
    variables = {
        "HOME": "/root" if user == "root" else f"/home/{user}",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PS1": prompt,
        "TERM": "vt102",
        "USER": user,
    }
    return Shell(
        commands={
            **TEXT_COMMANDS,
            **_SHELL_COMMANDS,
            **_board_commands(userland),
        },
        unknown=lambda name: complain(f"-sh: {name}: not found\n", 127),
        variables=variables,
        files=userland.files,
    )


def _board_commands(userland: Userland) -> dict[str, CommandBody]:
    commands, tpm = _Commands(userland), userland.kernel.hardware.tpm
    return {
        **({} if tpm is None else tpm_tools(tpm)),
        "date": commands.date,
        "dmesg": commands.dmesg,
        "halt": commands.poweroff,
        "hostname": commands.host,
        "ls": commands.ls,
        "poweroff": commands.poweroff,
        "reboot": commands.reboot,
        "rm": commands.rm,
        "sensor-read": commands.sensor_read,
        "sensor-reset": commands.sensor_reset,
        "stty": commands.stty,
        "uname": commands.uname,
        "uptime": commands.uptime,
    }


class _Commands:
    def __init__(self, userland: Userland) -> None:
        self._userland = userland
        self._kernel = userland.kernel

    def date(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        pattern = next((word[1:] for word in words[1:] if word.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
        seconds = int(self._kernel.uptime)
        text = pattern.replace("%s", str(seconds))
        return say(time.strftime(text, time.gmtime(seconds)) + "\n")

    def dmesg(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if words[1:2] == ["-n"]:
            level = words[2] if len(words) > 2 else ""
            if not level.isdigit():
                return complain("dmesg: bad level\n")
            self._kernel.console_level = int(level)
            return say("")
        text = "".join(self._kernel.messages)
        if words[1:2] in (["-c"], ["-C"]):
            self._kernel.messages.clear()
        return say("" if words[1:2] == ["-C"] else text)

    def host(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if len(words) > 1:
            self._userland.hostname = words[1]
            return say("")
        return say(f"{self._userland.hostname}\n")

    def ls(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        folders = [word for word in words[1:] if not word.startswith("-")] or ["/root"]
        status = 0
        for folder in folders:
            names = self._userland.files.names(folder)
            if not names and self._userland.files.read(folder) is not None:
                names = [folder]
            elif not names and folder not in ("/root", "/tmp"):  # noqa: S108 - a path of the board
                status = yield from complain(f"ls: {folder}: No such file or directory\n")
            yield from say("".join(f"{name}\n" for name in names))
        return status

    def poweroff(self, _shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        yield from say("The system is going down NOW!\n")
        yield Sleep(0.02)
        yield from self._kernel.power_down()
        while True:
            yield Key()

    def reboot(self, _shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        yield from say("The system is going down NOW!\n")
        yield Sleep(0.02)
        yield from self._kernel.restart()
        return 0

    def rm(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        status = 0
        for path in (word for word in words[1:] if not word.startswith("-")):
            if not self._userland.files.remove(path) and "-f" not in words:
                status = yield from complain(f"rm: can't remove '{path}': No such file or directory\n")
        return status

    def sensor_read(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        name = words[1] if len(words) > 1 else ""
        if name not in SENSORS:
            return complain(f"sensor-read: no sensor '{name}', there are {', '.join(SENSORS)}\n")
        self._userland.samples[name] = self._userland.samples.get(name, 0) + 1
        return say(f"{SENSORS[name]}\n")

    def sensor_reset(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        name = words[1] if len(words) > 1 else ""
        if name not in SENSORS:
            return complain(f"sensor-reset: no sensor '{name}', there are {', '.join(SENSORS)}\n")
        return say(f"{name}: {self._userland.samples.pop(name, 0)} samples dropped\n")

    def stty(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        for word in words[1:]:
            if word in ("echo", "-echo", "sane"):
                self._userland.echo = word != "-echo"
        shown = {"size": "24 80\n", "-a": "speed 115200 baud; rows 24; columns 80;\n"}
        return say(shown.get(words[1] if len(words) > 1 else "-a", ""))

    def uname(self, _shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        fields = {
            "s": "Linux",
            "n": self._userland.hostname,
            "r": self._kernel.release,
            "v": "#1 SMP PREEMPT",
            "m": "aarch64",
            "o": "GNU/Linux",
        }
        chosen = "".join(word.lstrip("-") for word in words[1:]) or "s"
        wanted = (
            fields if "a" in chosen else {letter: fields[letter] for letter in fields if letter in chosen}
        )
        return say(" ".join(wanted.values()) + "\n")

    def uptime(self, _shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        return say(f" up {self._kernel.uptime:.0f} s, load average: 0.00, 0.00, 0.00\n")


def _printing(kernel: Kernel, text: str) -> Program[None]:
    yield Out(kernel.message(text))


def _quiet(status: int) -> CommandBody:
    def body(_shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
        return say("", status)

    return body


def _exit(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    yield from say("")
    status = words[1] if len(words) > 1 else str(shell.status)
    raise Leave(int(status) % 256 if status.isdigit() else 2)


def _export(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            shell.variables[name] = value
    return say("")


def _read(shell: Shell, words: list[str], stdin: str) -> Program[int]:
    names = [word for word in words[1:] if not word.startswith("-")] or ["REPLY"]
    fields = stdin.partition("\n")[0].split(maxsplit=len(names) - 1)
    shell.variables.update(dict.fromkeys(names, ""))
    shell.variables.update(zip(names, fields, strict=False))
    return say("", int(not stdin))


def _return(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    yield from say("")
    raise Return(int(words[1]) % 256 if len(words) > 1 and words[1].isdigit() else shell.status)


def _shift(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
    if count > len(shell.parameters):
        return complain("sh: shift: can't shift that many\n")
    del shell.parameters[:count]
    return say("")


def _unset(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    for word in words[1:]:
        shell.variables.pop(word, None)
    return say("")


def _env(shell: Shell, _words: list[str], _stdin: str) -> Program[int]:
    return say("".join(f"{name}={value}\n" for name, value in sorted(shell.variables.items())))


def _eval(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    return shell.run(" ".join(words[1:]))


def _sh(shell: Shell, words: list[str], stdin: str) -> Program[int]:
    text = words[2] if words[1:2] == ["-c"] and len(words) > 2 else stdin
    inner = Shell(
        commands=shell.commands,
        unknown=lambda name: complain(f"sh: {name}: not found\n", 127),
        variables=dict(shell.variables),
        files=shell.files,
    )
    try:
        return (yield from inner.run(text))
    except Leave as leave:
        return leave.status
    except Unfinished:
        return (yield from complain("sh: syntax error: unterminated quoted string\n", 2))


def _sleep(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    try:
        seconds = sum(float(word.rstrip("s")) for word in words[1:])
    except ValueError:
        return (yield from complain(f"sleep: invalid number '{words[1]}'\n"))
    if (yield Sleep(seconds, interruptible=True)) == INTERRUPT:
        raise Interrupted
    return 0


def _command(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    names = [word for word in words[1:] if not word.startswith("-")]
    found = [name for name in names if name in shell.commands]
    return say("".join(f"{name}\n" for name in found), int(found != names))


def _test(_shell: Shell, words: list[str], _stdin: str) -> Program[int]:
    arguments = words[1:-1] if words[0] == "[" else words[1:]
    negated = arguments[:1] == ["!"]
    return say("", int(_holds(_shell, arguments[negated:]) == negated))


def _holds(shell: Shell, arguments: list[str]) -> bool:
    if len(arguments) == 1:
        return arguments[0] != ""
    if len(arguments) == 2:
        kind, value = arguments
        if kind in ("-n", "-z"):
            return bool(value) == (kind == "-n")
        return shell.files is not None and shell.files.read(value) is not None
    if len(arguments) != 3:
        return False
    left, operator, right = arguments
    if operator in ("=", "==", "!="):
        return (left == right) == (operator != "!=")
    compare = _COMPARISONS.get(operator)
    numbers = [int(text) for text in (left, right) if text.lstrip("-").isdigit()]
    return compare is not None and len(numbers) == 2 and compare(*numbers)


_SHELL_COMMANDS: Mapping[str, CommandBody] = {
    ":": _quiet(0),
    "[": _test,
    "cd": _quiet(0),
    "clear": _quiet(0),
    "command": _command,
    "env": _env,
    "eval": _eval,
    "exit": _exit,
    "export": _export,
    "false": _quiet(1),
    "fsync": _quiet(0),
    "id": lambda _shell, _words, _stdin: say("uid=0(root) gid=0(root)\n"),
    "pwd": lambda _shell, _words, _stdin: say("/root\n"),
    "local": _export,
    "read": _read,
    "return": _return,
    "set": _quiet(0),
    "shift": _shift,
    "sh": _sh,
    "sleep": _sleep,
    "sync": _quiet(0),
    "test": _test,
    "trap": _quiet(0),
    "true": _quiet(0),
    "unset": _unset,
    "whoami": lambda shell, _words, _stdin: say(f"{shell.variables.get('USER', 'root')}\n"),
}
