"""Linux on a simulated board: from the kernel's first line to a shell."""

from __future__ import annotations

import re
from functools import partial

from runner.modules.sim.commands import Userland, make_shell
from runner.modules.sim.hardware import Hardware
from runner.modules.sim.kernel import Kernel
from runner.modules.sim.lines import EndOfInput, read_line
from runner.modules.sim.options import System
from runner.modules.sim.processor import Key, Out, Program, Sleep, encode, say
from runner.modules.sim.shell import Interrupted, Leave, Return, Shell
from runner.modules.sim.syntax import goes_on
from runner.modules.sim.words import Unfinished

_INIT = ("Starting system log: OK\n", "Starting network: OK\n", "Starting sensord: OK\n")
_GROWN_AT, _GROWN = 504, b"resized\n"
"""Where the first block of a medium says that its system has been started before."""
_LATE = "\r         Starting late service {number}...\n[  OK  ] Started late service {number}.\n"


def start_linux(hardware: Hardware, release: str, bootargs: str) -> Program[None]:
    """Boot and serve the console, for ever."""
    kernel = Kernel(hardware, release, bootargs)
    for fault in kernel.faults():
        hardware.processor.spawn(fault)
    hardware.cable.kernel_message = partial(
        kernel.message, "sim: message in between", hardware.faults.printk_level
    )
    yield from kernel.boot()
    for text in _INIT:
        yield Out(encode(text))
        yield Sleep(hardware.system.boot_time * 0.1 / len(_INIT))
    if hardware.system.first_boot:
        yield from _first_boot(kernel)
    hardware.stage = "system"
    userland = Userland(kernel)
    entry = hardware.system.entry
    if entry in ("initramfs", "emergency"):
        yield from _rescue(userland, entry)
    while True:
        hardware.processor.forget_typed()
        if entry == "login":
            user = yield from _login(hardware)
        else:
            yield from _welcome(hardware.system)
            user = "root"
        yield from _session(userland, user)


def _first_boot(kernel: Kernel) -> Program[None]:
    """Grow what was written to the medium to all of it, once, and restart."""
    medium = kernel.hardware.medium
    if medium.read(_GROWN_AT, len(_GROWN)) == _GROWN:
        return
    size = f"{kernel.hardware.medium_size / 2**20:g} MiB"
    yield Out(encode(f"Resizing the root file system to {size} ...\n"))
    yield Sleep(0.05)
    medium.write(_GROWN_AT, _GROWN)
    yield Out(b"Resized the root file system, restarting\n")
    yield from kernel.restart()


def _welcome(system: System) -> Program[None]:
    if system.entry == "autologin":
        yield Out(encode(f"\nSimOS ttyS0\n\n{system.hostname} login: {system.user} (automatic login)\n\n"))
        return
    yield Out(b"\nPlease press Enter to activate this console.\n")
    while (yield Key()) not in (b"\r", b"\n"):
        pass


def _login(hardware: Hardware) -> Program[str]:
    """Ask until somebody may in; return who."""
    system = hardware.system
    yield Out(encode(f"\nSimOS {system.hostname} ttyS0\n\n"))
    swallow = hardware.faults.login_swallows
    late = hardware.faults.late_messages
    while True:
        yield Out(encode(f"{system.hostname} login: "))
        for number in range(late):
            yield Sleep(0.01)
            yield Out(encode(_LATE.format(number=number + 1)))
        late = 0
        while hardware.faults.read_only_login:
            yield Key()
        for _ in range(swallow):
            yield Key()
        swallow = 0
        try:
            name = (yield from read_line(longest=32)).strip()
            if name and (yield from _password_fits(system, name)):
                yield from _expired(system)
                yield Out(encode(f"{system.motd}\n" if system.motd else ""))
                return name
        except (Interrupted, EndOfInput):
            yield Out(b"\n")


def _password_fits(system: System, name: str) -> Program[bool]:
    typed = ""
    if system.password or name != system.user:
        yield Out(b"Password: ")
        typed = yield from read_line(echo=False)
        yield Out(b"\n")
    if name == system.user and typed == system.password:
        return True
    yield Sleep(0.2)
    yield Out(b"Login incorrect\n")
    return False


def _expired(system: System) -> Program[None]:
    if not system.expired:
        return
    yield Out(b"You are required to change your password immediately (root enforced)\n")
    yield Out(b"Changing password for root.\nNew password: ")
    while True:
        yield from read_line(echo=False)
        yield Out(b"\nBAD PASSWORD: The password is the same as the old one\nNew password: ")


def _rescue(userland: Userland, entry: str) -> Program[None]:
    """Serve the shell of a system that did not come up."""
    if entry == "initramfs":
        yield Out(b"ALERT!  /dev/mmcblk0 does not exist.  Dropping to a shell!\n\n")
        prompt = "(initramfs) "
    else:
        yield Out(
            b'You are in emergency mode. After logging in, type "journalctl -xb" to view\nsystem logs.\n'
        )
        prompt = "sh-5.2# "
    while True:
        yield from _serve(userland, make_shell(userland, "root", prompt))


def _session(userland: Userland, user: str) -> Program[None]:
    system = userland.kernel.hardware.system
    yield from _serve(userland, make_shell(userland, user, system.prompt))
    yield Out(b"\n")


def _serve(userland: Userland, shell: Shell) -> Program[None]:
    """Run the commands that are typed until the shell ends."""
    userland.echo = True
    while True:
        yield Out(encode(_prompt(shell, userland)))
        userland.kernel.hardware.cable.at_prompt()
        try:
            line = yield from read_line(echo=userland.echo)
            while goes_on(line):
                yield Out(encode(shell.variables.get("PS2", "> ")))
                line += "\n" + (yield from read_line(echo=userland.echo))
            if line.strip():
                yield from shell.run(line)
        except Interrupted:
            shell.status = 130
            yield Out(b"^C\n")
        except Unfinished:
            yield from say("sh: syntax error: unterminated quoted string\n")
        except (EndOfInput, Leave, Return):
            return


def _prompt(shell: Shell, userland: Userland) -> str:
    """Replace what PS1 may hold."""
    text = shell.variables.get("PS1", "")
    user = shell.variables.get("USER", "root")
    places = {
        r"\u": user,
        r"\h": userland.hostname,
        r"\w": "~",
        r"\$": "#" if user == "root" else "$",
        r"\e": "\x1b",
        r"\033": "\x1b",
        r"\a": "\a",
        r"\[": "",
        r"\]": "",
        r"\n": "\n",
        "\\\\": "\\",
    }
    return re.sub("|".join(map(re.escape, places)), lambda place: places[place[0]], text)
