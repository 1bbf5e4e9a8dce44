"""Knowing from what is typed that the board is asked to restart."""

from __future__ import annotations

import re

RESTART_WITHIN = 120.0
"""Seconds after a command to restart in which a reset is one that was asked for."""

_LINUX = re.compile(
    r"(?<![\w./-])(?:(?:/usr)?/s?bin/)?"
    r"(?:reboot|poweroff|halt|shutdown|kexec|(?:tel)?init +[0156]"
    r"|systemctl(?: +-\S+)* +(?:reboot|poweroff|halt|kexec|soft-reboot))(?![\w./-])"
    r"|/proc/sysrq-trigger|sysrq_trigger"
)
_UBOOT = re.compile(
    r"(?:^|[;&|{]|\b(?:then|else|do)\b)\s*(?:reset|go|poweroff|sysreset|dfu|fastboot)(?![\w=-])"
)


def restarts_linux(command: str) -> bool:
    """Tell whether a command at a shell restarts or stops the board.

    >>> restarts_linux("sync; reboot -f"), restarts_linux("cat /var/log/reboot.log")
    (True, False)
    """
    return _LINUX.search(command) is not None


def restarts_uboot(command: str) -> bool:
    """Tell whether a command at U-Boot's prompt does; ``boot`` does not: it goes on to the next stage.

    >>> restarts_uboot("saveenv; reset"), restarts_uboot("setenv reset 1"), restarts_uboot("boot")
    (True, False, False)
    """
    return _UBOOT.search(command) is not None
