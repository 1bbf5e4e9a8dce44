"""What can be said about a simulated board in an inventory."""

from __future__ import annotations

from typing import Literal

from runner.api import Duration, Options, arg

OutletCall = Literal["on", "off", "state"]


class Firmware(Options):
    """The board's boot loader."""

    spl: bool = arg(default=True, help="print a first-stage loader's banner before U-Boot")
    prompt: str = arg(default="=> ", help="U-Boot's prompt")
    hush: bool = arg(default=True, help="false: the simple parser, without quotes, && and $?")
    bootdelay: int = arg(
        default=1,
        help="seconds of autoboot countdown; 0: none, but a key that is already there stops it; "
        "-1: stay at the prompt; -2: boot without looking",
        minimum=-2,
    )
    autoboot_text: str = arg(
        default="Hit any key to stop autoboot: ",
        help="what stands before the countdown; empty: nothing is shown",
    )
    stop_keys: str = arg(default="", help="the only keys that stop autoboot, in this order; empty: any key")
    stop_count: int = arg(default=1, help="how many times they must be pressed", minimum=1)
    password: str = arg(default="", help="asked for before the prompt is given", secret=True)
    typed_password: str = arg(
        default="",
        help="the only thing that stops autoboot, typed during the countdown and before any other key, "
        "as an encrypted one asks for it",
        secret=True,
    )
    menu: bool = arg(default=False, help="show a boot menu; ESC or Ctrl-C leaves it for the prompt")
    longest_line: int = arg(default=1024, help="characters that fit in a command line", minimum=16)


class System(Options):
    """The board's Linux."""

    hostname: str = arg(default="sim", help="the board's name, also in its prompts")
    entry: Literal["login", "autologin", "shell", "initramfs", "emergency"] = arg(
        default="login", help="what waits on the console when the system has started"
    )
    user: str = arg(default="root", help="who may log in")
    password: str = arg(default="", help="the user's password; empty: none is asked for", secret=True)
    expired: bool = arg(default=False, help="the password has expired and must be changed first")
    prompt: str = arg(default=r"\u@\h:\w\$ ", help=r"the shell's PS1, with \u \h \w \$ \e \a \n \\ \[ \]")
    boot_time: Duration = arg(
        default=Duration("0.5s"), help="from the kernel's first line to the login prompt"
    )
    motd: str = arg(default="", help="printed after login")
    first_boot: bool = arg(
        default=False,
        help="a medium that was written anew is grown to its size at its first start, and the board "
        "restarts once for that",
    )


class Faults(Options):
    """What goes wrong with the board, on purpose."""

    dead: bool = arg(default=False, help="nothing is ever printed")
    drop: int = arg(default=0, help="characters that get lost at the beginning of a typed line", minimum=0)
    swap: int = arg(default=0, help="pairs of characters that arrive in reverse order there", minimum=0)
    damaged_lines: int = arg(
        default=1,
        help="how many lines typed at a prompt are damaged by drop and swap, after each start",
        minimum=0,
    )
    fifo: int = arg(
        default=0, help="bytes that the receiver holds before it overruns; 0: any number", minimum=0
    )
    fifo_rate: int = arg(
        default=8000, help="bytes per second that the board takes out of its receiver", minimum=1
    )
    line_rate: int = arg(default=11520, help="bytes per second that arrive in the receiver", minimum=1)
    printk_every: Duration | None = arg(default=None, help="a kernel message on the console, again and again")
    printk_at: int | None = arg(
        default=None, help="a kernel message after so many bytes of the echo and output of each line"
    )
    printk_level: int = arg(
        default=6, help="their level, 0 to 7; below the console's level they show", maximum=7
    )
    log_every: Duration | None = arg(default=None, help="a line of a chatty service, again and again")
    late_messages: int = arg(
        default=0, help="lines of the init system that overwrite the login prompt", minimum=0
    )
    login_swallows: int = arg(default=0, help="first characters that the login prompt loses", minimum=0)
    read_only_login: bool = arg(
        default=False, help="the login prompt is shown, but nothing typed there arrives"
    )
    poweroff_hangs: bool = arg(default=False, help="the system goes down, but never says that it has")
    panic_after: Duration | None = arg(default=None, help="the kernel panics this long after its start")
    panic_end: bool = arg(default=True, help="the panic has its end line")
    oops_after: Duration | None = arg(
        default=None, help="the kernel oopses this long after its start and goes on"
    )
    reset_loop: bool = arg(default=False, help="the board resets before it reaches U-Boot, for ever")
    reset_after: Duration | None = arg(
        default=None, help="the board resets itself once, this long after power on"
    )
    port_gone_after: Duration | None = arg(
        default=None, help="the console's port vanishes this long after power on"
    )
    port_gone_for: Duration = arg(default=Duration("3s"), help="and is back after this time")
    mute_from: int = arg(
        default=0, help="nothing is printed from the so-many-th power-on on; 0: it always talks", minimum=0
    )
    relay: Literal["works", "stuck", "lies", "other"] = arg(
        default="works",
        help="stuck: once on, the outlet does not switch off, and says so; lies: it says it has; "
        "other: the outlet works, but another one feeds the board",
    )
    outlet_fails: list[OutletCall] = arg(
        default=[], help="what the outlet answers with an error, as a web server does with 500"
    )
    outlet_fail_times: int = arg(default=0, help="how often each of them fails; 0: always", minimum=0)
    outlet_hangs: list[OutletCall] = arg(default=[], help="what the outlet never answers")
    outlet_delay: Duration = arg(
        default=Duration(0), help="the outlet switches this long after it was told to"
    )
