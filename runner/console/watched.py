"""What is watched for on every console: the words that kernels and boot loaders use for their ends.

Kernel texts are those of Linux: kernel/panic.c, lib/bug.c, mm/kasan/report.c, kernel/kcsan/report.c,
mm/kfence/report.c, kernel/hung_task.c, kernel/rcu/tree_stall.h, mm/oom_kill.c, and `die` of each
architecture. U-Boot's are in lib/display_options.c, drivers/sysreset and lib/panic.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

PANIC = "Kernel panic - not syncing"
EMERGENCY = (
    "You are in emergency mode|Entering emergency mode"
    "|Give root password for maintenance|Press Enter for maintenance"
)
INITRAMFS = "(initramfs)"
_PROMPTED = r"(?:[^\n]{0,120}?(?:[#$>] |login: ?|assword: ?))?"
"""A kernel without stamps speaks behind a prompt, too: it does not know that the line has begun."""
RESET, RESET_LOOP = "reset", "reset_loop"
FATAL = frozenset({"panic", "uboot_reset", "uboot_hang", RESET, RESET_LOOP})
"""What no command survives: one that has ended has only quoted it."""


@dataclass(frozen=True)
class Watched:
    """Something that is watched for.

    `name`: as a recipe's `allow` has it; `title`: as a report says it. `message` is matched from
    the beginning of a kernel message, behind its stamp; `text` from the beginning of any other
    line (None: it only counts in a kernel message). `kernel`: whether the kernel says it.
    `once`: it is said again and again, and counts the first time after each start.
    """

    name: str
    title: str
    literals: tuple[bytes, ...]
    message: re.Pattern[bytes]
    text: re.Pattern[bytes]
    kernel: bool = True
    once: bool = False


def _kernel(name: str, title: str, *literals: str, says: str, alone: str = "") -> Watched:
    """Make one of the kernel's; `alone`: what it takes without a stamp, where more programs speak."""
    return Watched(
        name,
        title,
        tuple(each.encode() for each in literals),
        re.compile(says.encode()),
        re.compile(f"{_PROMPTED}(?:{alone or says})".encode()),
    )


def _other(name: str, title: str, *literals: str, says: str, once: bool = False) -> Watched:
    pattern = re.compile(says.encode())
    spoken = tuple(each.encode() for each in literals)
    return Watched(name, title, spoken, pattern, pattern, kernel=False, once=once)


WATCHED: tuple[Watched, ...] = (
    _kernel("panic", "kernel panic", PANIC, says=re.escape(PANIC)),
    _kernel(
        "oops",
        "kernel oops",
        "Oops",
        "Internal error: ",
        "Unable to handle kernel ",
        "general protection fault",
        says=r"(?:Internal error|Oops)\b[^\n]*\[#\d+\]|(?:CPU \d+ )?Unable to handle kernel [a-zNU]"
        r"|general protection fault\b[^\n]*\[#\d+\]",
    ),
    _kernel(
        "bug",
        "kernel BUG",
        "BUG: ",
        "kernel BUG at ",
        says=r"(?:watchdog: )?BUG: (?!K(?:A|C|M)SAN: |KFENCE: )|kernel BUG at ",
        alone=r"(?:watchdog: )?BUG: (?:kernel |unable to handle |scheduling while atomic|soft lockup"
        r"|workqueue lockup|sleeping function |Bad |spinlock |using |non-zero |stack guard)"
        r"|kernel BUG at [\w./-]+:\d+!",
    ),
    _kernel("kasan", "KASAN report", "BUG: ", says=r"BUG: K[AM]SAN: "),
    _kernel("kcsan", "KCSAN report", "BUG: ", says=r"BUG: KCSAN: "),
    _kernel("kfence", "KFENCE report", "BUG: ", says=r"BUG: KFENCE: "),
    _kernel(
        "hung_task",
        "hung task",
        "blocked for more than ",
        says=r"INFO: task [^\n]+ blocked for more than \d+ sec",
    ),
    _kernel(
        "rcu_stall",
        "RCU stall",
        "detected stall",
        "detected expedited stall",
        says=r"(?:rcu: )?INFO: rcu\w* (?:self-)?detected (?:expedited )?stall",
    ),
    _kernel(
        "oom",
        "out of memory",
        "ut of memory: Kill",
        "ut of memory (oom_kill_allocating_task): Kill",
        " invoked oom-killer: ",
        says=r"(?:Memory cgroup o|O)ut of memory(?: \([^)\n]*\))?: Kill(?:ed)? process \d+"
        r"|[^\n]{1,16} invoked oom-killer: ",
    ),
    _other(
        "emergency",
        "emergency shell",
        "mergency mode",
        "or maintenance",
        INITRAMFS,
        says=rf"(?:{EMERGENCY}|{re.escape(INITRAMFS)})",
        once=True,
    ),
    _other("uboot_reset", "U-Boot resets the board", "resetting ...", says=r"resetting \.\.\."),
    _other(
        "uboot_hang",
        "U-Boot has given up",
        "### ERROR ### Please RESET the board",
        says=r"### ERROR ### Please RESET the board",
    ),
)

TITLES: Mapping[str, str] = MappingProxyType(
    {
        **{each.name: each.title for each in WATCHED},
        RESET: "unexpected reset",
        RESET_LOOP: "reset loop",
    }
)
"""Everything that can be allowed, and what reports call it."""


@dataclass(frozen=True)
class Stage:
    """A part of a start that announces itself. Later ones have a higher `order`."""

    order: int
    name: str
    literal: bytes
    pattern: re.Pattern[bytes]
    kernel: bool = False


def literals_of(watched: Iterable[Watched]) -> tuple[bytes, ...]:
    """Return what every line has one of that these, or a stage of a start, could match."""
    found = [literal for each in watched for literal in each.literals]
    return tuple(dict.fromkeys([*found, *(stage.literal for stage in STAGES)]))


UBOOT, KERNEL = 3, 4
STAGES: tuple[Stage, ...] = (
    Stage(1, "U-Boot TPL", b"U-Boot ", re.compile(rb"U-Boot TPL \D{0,8}\d{4}\.\d\d")),
    Stage(2, "U-Boot SPL", b"U-Boot ", re.compile(rb"U-Boot SPL \D{0,8}\d{4}\.\d\d")),
    Stage(UBOOT, "U-Boot", b"U-Boot ", re.compile(rb"U-Boot (?![ST]PL )\D{0,8}\d{4}\.\d\d")),
    Stage(KERNEL, "Linux", b"Linux version ", re.compile(rb"Linux version \d"), kernel=True),
)
