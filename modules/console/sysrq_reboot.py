"""Have the kernel of a board reboot at once, by its magic key."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from runner.api import Context, Duration, Module, Result, Unsupported, arg, device
from runner.console import Console

_BREAK = Duration("250ms")
_RESTARTS = {
    "sysrq": r"(?i)sysrq ?: resetting",
    "kernel": r"reboot: Restarting system",
    "U-Boot": r"^U-Boot (?:SPL |TPL )?\d",
}


@runtime_checkable
class _Breaks(Protocol):
    """A console whose port can send a break."""

    def send_break(self, duration: Duration, context: Context) -> None:
        """Hold the line for so long."""


class Rebooted(Result):
    """What said that the board starts anew, and how it was told to."""

    seen: str
    by: Literal["break", "shell"]


class SysrqReboot(Module):
    """Reboot the board by the kernel's magic key b, without syncing or unmounting.

    A break and the letter b work while the kernel does, also when every program hangs (Linux,
    Documentation/admin-guide/sysrq.rst; `kernel.sysrq` must allow it). On a console without a break
    a shell writes to /proc/sysrq-trigger instead. A rung of `recover:`.

    Example::

        - sysrq_reboot:
        - sysrq_reboot: {by: shell, within: 20s}
    """

    by: Literal["auto", "break", "shell"] = arg(
        default="auto", help="auto: by a break where the console has one, by its shell elsewhere"
    )
    within: Duration = arg(default=Duration("15s"), help="how long until the board says that it starts anew")
    console: Console = device(help="the console of the kernel")
    others: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    def run(self, context: Context) -> Rebooted:
        """Reboot it and wait for its first sign of that."""
        by = self._by(context)
        if by == "shell":
            self.console.interrupt(context, within=self.within)
        for console in dict.fromkeys((self.console, *self.others)):
            console.power_mark()
        if by == "shell":
            line = "echo b >/proc/sysrq-trigger" + self.console.settings.newline
            self.console.send(line.encode(), context)
        elif isinstance(self.console, _Breaks):
            self.console.send_break(_BREAK, context)
            self.console.send(b"b", context)
        match = self.console.expect(_RESTARTS, context, within=self.within, since="power_on")
        return Rebooted(seen=match.text, by=by)

    def _by(self, context: Context) -> Literal["break", "shell"]:
        if self.by == "shell":
            return "shell"
        if isinstance(self.console, _Breaks):
            return "break"
        if self.by == "break":
            name = context.devices.get("console", "console")
            raise Unsupported(f"console {name!r} on bench {context.bench!r} cannot send a break")
        return "shell"
