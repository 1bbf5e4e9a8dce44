"""From power-on to the shell of the Linux in the board's memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runner.api import Context, Duration, Failed, Power, TftpFiles
from runner.api.switching import Clock, Outlet
from runner.console import Console, Witnesses, explained
from runner.modules.flasher.manifest import Manifest
from runner.modules.flasher.phases import Phases

_COUNT = re.compile(r"Bytes transferred = (\d+)")
_TAIL = 20
_SHORT = Duration("10s")


class Lease(NamedTuple):
    """What DHCP gave to U-Boot."""

    address: str
    netmask: str
    gateway: str


class Limits(NamedTuple):
    """How long each part may take."""

    enter: Duration
    off_time: Duration
    dhcp: Duration
    load: Duration
    boot: Duration


class Part(NamedTuple):
    """A file that goes into the board's memory."""

    name: str
    path: Path
    address: str


class Loader:
    """Starts the board, loads what the bundle says, and boots it."""

    def __init__(
        self, console: Console, power: Power, tftp: TftpFiles, limits: Limits, phases: Phases
    ) -> None:
        """Take what is needed for it."""
        self._console = console
        self._power = power
        self._tftp = tftp
        self._limits = limits
        self._phases = phases

    def boot(self, manifest: Manifest, parts: list[Part], bootcmd: str, context: Context) -> Lease:
        """Get to the shell; raise a verdict that names the phase."""
        with self._phases.phase("enter U-Boot"):
            self._enter(context)
        with self._phases.phase("DHCP in U-Boot"):
            lease = self._lease(context)
        started = not self._tftp.running
        try:
            with self._phases.phase("serve by TFTP"):
                self._tftp.offer({_served(each): str(each.path) for each in parts})
                self._tftp.start(context)
                self._console.set_env("serverip", self._tftp.host(), context, timeout=_SHORT)
            for part in parts:
                with self._phases.phase(f"load the {part.name}"):
                    self._load(part, context)
        finally:
            if started:
                self._tftp.stop()
        with self._phases.phase("boot"):
            self._console.boot_kernel(bootcmd, context, within=self._limits.boot)
        with self._phases.phase("log in"):
            user, password = manifest.user or "root", manifest.password or None
            self._console.login(context, user=user, password=password, within=self._limits.boot)
        return lease

    def power_off(self, context: Context) -> None:
        """Take the power away."""
        self._console.expect_reset()
        Outlet(self._power, context, within=self._limits.enter, slot="supply").turn("off")

    def power_on(self, context: Context) -> None:
        """Give the power back, after the time that the board stays off."""
        context.sleep(float(self._limits.off_time))
        Outlet(self._power, context, within=self._limits.enter, slot="supply").turn("on")

    def _enter(self, context: Context) -> None:
        clock = Clock(context)
        outlet = Outlet(self._power, context, within=self._limits.enter, slot="supply")
        witnesses = Witnesses((self._console,), outlet, context)
        readable = outlet.state_before("auto") is not None
        outlet.turn("off")
        if readable:
            outlet.confirm("off")
        witnesses.stay_off(self._limits.off_time, silent=True)
        witnesses.mark()
        outlet.turn("on")
        left = Duration(max(0.0, self._limits.enter - clock.elapsed))
        self._console.enter_uboot(context, within=left)

    def _lease(self, context: Context) -> Lease:
        """Ask a DHCP server, without loading anything."""
        for name, value in (("autoload", "no"), ("ipaddr", None)):
            self._console.set_env(name, value, context, timeout=_SHORT)
        ran = self._console.run_uboot("dhcp", context, timeout=self._limits.dhcp)
        found = {name: self._get(name, context) for name in ("ipaddr", "netmask", "gatewayip")}
        if not found["ipaddr"]:
            raise Failed(
                f"no address by DHCP{explained(ran.output)}",
                evidence={"output": _tail(ran.output)},
                hint="is the cable plugged in, and does a DHCP server answer there?",
            )
        return Lease(found["ipaddr"], found["netmask"] or "255.255.255.0", found["gatewayip"])

    def _load(self, part: Part, context: Context) -> None:
        """Load one file, compare its length, and tell the boot command where it is."""
        command = f"tftpboot {part.address} {_served(part)}"
        ran = self._console.run_uboot(command, context, timeout=self._limits.load)
        counted = _COUNT.search(ran.output)
        size = part.path.stat().st_size
        if ran.status or counted is None or int(counted[1]) != size:
            came = f"{counted[1]} of {size} bytes came" if counted else "nothing came"
            raise Failed(
                f"{came}: {command}{explained(ran.output)}",
                evidence={"expected": size, "output": _tail(ran.output), "tftp": self._requests(context)},
                hint="does the board reach the address that the TFTP server advertises?",
            )
        variables = {f"{part.name}_addr": part.address, f"{part.name}_size": f"{size:x}"}
        for name, value in variables.items():
            self._console.run_uboot(f"setenv {name} {value}", context, timeout=_SHORT)

    def _requests(self, context: Context) -> list[Mapping[str, object]]:
        """Return what the server has seen so far, for the evidence."""
        found: list[Mapping[str, object]] = []
        number = max(0, self._tftp.latest() - 5)
        while (item := self._tftp.next(number, 0, context)) is not None:
            number, transfer = item
            found.append({"file": transfer.file, "bytes": transfer.bytes, "problem": transfer.problem})
        return found

    def _get(self, name: str, context: Context) -> str:
        return self._console.get_env(name, context, timeout=_SHORT) or ""


def _served(part: Part) -> str:
    return f"flasher/{part.name}"


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-_TAIL:])
