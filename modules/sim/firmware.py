"""The boot loader of a simulated board: first stage, banner, autoboot, prompt."""

from __future__ import annotations

from runner.modules.sim.hardware import VERSION, Hardware, fresh_environment
from runner.modules.sim.lines import EndOfInput, read_line
from runner.modules.sim.linux import start_linux
from runner.modules.sim.options import Firmware
from runner.modules.sim.processor import Key, Out, Program, Restart, Sleep, encode
from runner.modules.sim.shell import Interrupted, Leave
from runner.modules.sim.syntax import goes_on
from runner.modules.sim.uboot import Booting, prompt_commands, run_line

_SPL = (
    "\nU-Boot SPL 2023.01-sim (Jan 09 2023 - 16:07:33 +0000)\n",
    "DRAM: training done, 256 MiB\n",
    "Trying to boot from MMC1\n",
)
_UBOOT = (
    f"\n\n{VERSION}\n\n",
    "Model: Simulated bench board\n",
    "DRAM:  256 MiB\n",
    "Core:  12 devices, 8 uclasses, devicetree: board\n",
    "MMC:   mmc@0: 0\n",
    "Loading Environment from flash... OK\n",
    "In:    serial\nOut:   serial\nErr:   serial\n",
    "Net:   No ethernet found.\n",
)
_MENU = (
    b"\x1b[2J\x1b[1;1H\n  *** U-Boot Boot Menu ***\n\n\x1b[7m     Boot from medium\x1b[0m\n"
    b"     U-Boot console\n\n\n  Press UP/DOWN to move, ENTER to select, ESC/CTRL+C to quit\n"
)


def power_on(hardware: Hardware) -> Program[None]:
    """Run the board from its reset on."""
    hardware.cable.restart()
    hardware.stage = "blank"
    if hardware.faults.reset_after is not None and hardware.resets_left:
        hardware.processor.spawn(_reset_later(hardware, hardware.faults.reset_after))
    if hardware.faults.dead:
        return
    yield Sleep(0.02)
    if hardware.firmware.spl:
        yield from _lines(_SPL, 0.01)
    if hardware.faults.reset_loop:
        yield Sleep(0.5)
        yield Restart()
    hardware.processor.forget_typed()
    hardware.stage = "firmware"
    yield from _lines(_UBOOT, 0.01)
    environment = dict(hardware.stored) or fresh_environment(hardware.firmware)
    try:
        if not (yield from _stopped(hardware, environment)):
            yield from run_line(prompt_commands(hardware, environment), "boot")
        yield from _prompt(hardware, environment)
    except Booting as booting:
        yield from start_linux(hardware, booting.release, environment.get("bootargs", ""))


def _reset_later(hardware: Hardware, after: float) -> Program[None]:
    yield Sleep(after)
    hardware.resets_left -= 1
    yield Restart()


def _lines(texts: tuple[str, ...], pause: float) -> Program[None]:
    for text in texts:
        yield Out(encode(text))
        yield Sleep(pause)


def _stopped(hardware: Hardware, environment: dict[str, str]) -> Program[bool]:
    """Count down; tell whether somebody stopped it, with the password if there is one."""
    delay = _number(environment.get("bootdelay", ""), 0)
    if hardware.firmware.menu:
        return (yield from _left_menu(delay))
    if delay == -1:
        return True
    if delay == -2 or not (yield from _counted_down(hardware, delay)):
        return False
    while hardware.firmware.password:
        yield Out(b"Password: ")
        try:
            typed = yield from read_line(echo=False)
            yield Out(b"\n")
        except (Interrupted, EndOfInput):
            typed = ""
        if typed == hardware.firmware.password:
            break
        yield Out(b"Wrong password\n")
    return True


def _counted_down(hardware: Hardware, delay: int) -> Program[bool]:
    text = hardware.firmware.autoboot_text
    if text:
        yield Out(encode(f"{text}{delay:2d} "))
    wanted = hardware.firmware.stop_keys * hardware.firmware.stop_count or None
    seen = ""
    end = hardware.processor.time + delay
    shown = delay
    while True:
        left = end - hardware.processor.time
        key = yield Key(within=max(0.0, min(left, left - (shown - 1))))
        seen += key.decode("latin-1")
        if key and _enough(hardware.firmware, seen, wanted):
            yield Out(b"\b\b\b 0 \n" if text else b"")
            return True
        if key:
            continue
        if end - hardware.processor.time <= 1e-9:
            yield Out(b"\b\b\b 0 \n" if text else b"")
            return False
        shown -= 1
        yield Out(encode(f"\b\b\b{shown:2d} ") if text else b"")


def _enough(firmware: Firmware, seen: str, wanted: str | None) -> bool:
    if firmware.typed_password:
        return seen == firmware.typed_password
    return seen.endswith(wanted) if wanted else len(seen) >= firmware.stop_count


def _left_menu(delay: int) -> Program[bool]:
    """Show the menu (U-Boot, cmd/bootmenu.c); tell whether it was left for the prompt."""
    yield Out(_MENU + encode(f"  Hit any key to stop autoboot: {delay} "))
    within: float | None = delay
    while key := (yield Key(within=within)):
        if key in (b"\x03", b"\x1b"):
            yield Out(b"\x1b[2J\n")
            return True
        if key in (b"\r", b"\n"):
            return False
        within = None
    return False


def _prompt(hardware: Hardware, environment: dict[str, str]) -> Program[None]:
    shell = prompt_commands(hardware, environment)
    last = ""
    while True:
        yield Out(encode(hardware.firmware.prompt))
        hardware.cable.at_prompt()
        try:
            line = yield from _command_line(hardware.firmware)
            last = line.strip() or last
            if last:
                yield from run_line(shell, last, hush=hardware.firmware.hush)
        except Interrupted:
            yield Out(b"<INTERRUPT>\n")
        except (EndOfInput, Leave):
            continue


def _command_line(firmware: Firmware) -> Program[str]:
    """Read a line, and its continuation while a quote is open."""
    line = yield from read_line(longest=firmware.longest_line)
    while firmware.hush and goes_on(line):
        yield Out(b"> ")
        line += "\n" + (yield from read_line(longest=firmware.longest_line))
    return line


def _number(text: str, otherwise: int) -> int:
    try:
        return int(text)
    except ValueError:
        return otherwise
