"""Get an address for U-Boot from a DHCP server."""

from __future__ import annotations

import time

from runner.api import Context, Duration, Failed, Module, Result, TimedOut, arg, device
from runner.console import Console, Ran, explained

_ASKED = ("ipaddr", "netmask", "gatewayip", "dnsip", "serverip", "bootfile", "hostname")


class Lease(Result):
    """What the server gave; None for what it did not."""

    address: str
    netmask: str | None
    gateway: str | None
    dns: str | None
    server: str | None
    """The TFTP server (`serverip`)."""
    bootfile: str | None
    hostname: str | None
    attempts: int
    elapsed: Duration


class UbootDhcp(Module):
    """Get an address for U-Boot from a DHCP server; nothing is loaded, and no bootfile is fetched.

    The answers are in U-Boot's variables (`ipaddr`, `serverip` …) as well as in the result.

    Example::

        - uboot_dhcp:
          expect: result.address is match('10[.]0[.]')
        - uboot_dhcp: {retries: 5, timeout: 20s}
    """

    retries: int = arg(default=2, minimum=0, help="how often it is tried again")
    timeout: Duration = arg(default=Duration("30s"), primary=True, help="how long one try may take")
    console: Console = device(help="the console with U-Boot")

    def run(self, context: Context) -> Lease:
        """Ask, with autoload switched off meanwhile."""
        began = time.monotonic()
        autoload = self._get("autoload", context)
        before = {name: self._get(name, context) for name in ("ipaddr", "bootfile")}
        for name in before:
            self._set(name, None, context)
        self._set("autoload", "no", context)
        try:
            attempts = self._ask(context)
        except Failed:
            for name, value in before.items():
                self._set(name, value, context)
            raise
        finally:
            self._set("autoload", autoload, context)
        given = {name: self._get(name, context) for name in _ASKED}
        return _lease(given, attempts, Duration(time.monotonic() - began))

    def _ask(self, context: Context) -> int:
        """Try until there is an address; return how often it took."""
        for attempt in range(1, self.retries + 2):
            ran = self._try(context)
            if ran is not None and self._get("ipaddr", context):
                return attempt
            said = explained(ran.output) if ran is not None else f": nothing within {self.timeout}"
            if attempt <= self.retries:
                context.log(f"attempt {attempt} of {self.retries + 1} to get an address{said}", "warning")
        tries = f"{attempt} attempts" if attempt > 1 else "1 attempt"
        raise Failed(
            f"no address by DHCP after {tries}{said}",
            evidence={"attempts": attempt, "output": ran.output if ran is not None else ""},
            hint="is the cable plugged in, and does a DHCP server answer there?",
        )

    def _try(self, context: Context) -> Ran | None:
        """Run the command once; None when it took too long."""
        try:
            return self.console.run_uboot("dhcp", context, timeout=self.timeout)
        except TimedOut:
            if context.left <= 0:
                raise
            return None

    def _get(self, name: str, context: Context) -> str | None:
        return self.console.get_env(name, context, timeout=self.timeout)

    def _set(self, name: str, value: str | None, context: Context) -> None:
        self.console.set_env(name, value, context, timeout=self.timeout)


def _lease(given: dict[str, str | None], attempts: int, elapsed: Duration) -> Lease:
    return Lease(
        address=given["ipaddr"] or "",
        netmask=given["netmask"],
        gateway=given["gatewayip"],
        dns=given["dnsip"],
        server=given["serverip"],
        bootfile=given["bootfile"],
        hostname=given["hostname"],
        attempts=attempts,
        elapsed=elapsed,
    )
