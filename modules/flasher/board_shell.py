"""What is done at the shell of the Linux in the board's memory: network, target, and long jobs."""

from __future__ import annotations

import ipaddress
import re
import shlex
import time
from collections.abc import Mapping
from typing import Literal, NamedTuple

from runner.api import Context, Duration, Failed, RecipeFault
from runner.console import Console
from runner.modules.flasher.loading import Lease

FOLDER = "/tmp/runner-flash"  # noqa: S108 - of the board, which has nothing but memory
_SHORT = Duration("60s")
_POSITION = re.compile(r"^pos:\s*(\d+)", re.MULTILINE)
_ENDED = re.compile(r"^ended (\d+)$", re.MULTILINE)
_TAIL = 10


class Target(NamedTuple):
    """A block device of the board."""

    path: str
    size: int


class BoardShell:
    """The shell; every command is checked, and none waits longer than it may."""

    def __init__(self, console: Console, context: Context, stall: Duration) -> None:
        """Take the console, which has a shell now."""
        self._console = console
        self._context = context
        self._stall = stall

    def run(self, command: str, timeout: Duration = _SHORT) -> str:
        """Run a command; raise Failed when its status is not 0."""
        ran = self._console.run(command, self._context, timeout=timeout)
        if ran.status:
            raise Failed(
                f"exit status {ran.status}, expected 0: {command}",
                evidence={"status": ran.status, "output": "\n".join(ran.output.splitlines()[-_TAIL:])},
            )
        return ran.output.strip()

    def has(self, program: str) -> bool:
        """Tell whether the board has a program."""
        ran = self._console.run(f"command -v {program}", self._context, timeout=_SHORT)
        return ran.status == 0

    def is_busybox(self, program: str) -> bool:
        """Tell whether a program of the board is BusyBox's, which can do less."""
        asked = f"{program} --help 2>&1 | grep -q BusyBox"
        return self._console.run(asked, self._context, timeout=_SHORT).status == 0

    def connect(self, lease: Lease, how: Literal["auto", "dhcp", "lease"], interface: str) -> None:
        """Bring the network up: ask DHCP again, or keep what U-Boot was given.

        udhcpc only tells what it got to a script; without one it changes nothing (BusyBox, udhcpc).
        """
        script = "test -e /usr/share/udhcpc/default.script"
        asks = how == "dhcp" or (
            how == "auto" and self._console.run(script, self._context, timeout=_SHORT).status == 0
        )
        name = interface or self.run(
            "cd /sys/class/net && for i in eth0 *; do [ $i != lo ] && [ -e $i ] && echo $i && break; done"
        )
        self.run(f"ip link set {shlex.quote(name)} up")
        if asks:
            self.run(f"udhcpc -i {shlex.quote(name)} -n -q -t 10", Duration("2m"))
            return
        prefix = ipaddress.ip_network(f"0.0.0.0/{lease.netmask}").prefixlen
        self.run(f"ip addr replace {lease.address}/{prefix} dev {shlex.quote(name)}")
        if lease.gateway:
            self.run(f"ip route replace default via {lease.gateway}")

    def target(self, wanted: str, targets: Mapping[str, str]) -> Target:
        """Find the block device; raise RecipeFault when there is none, or it is in use."""
        written = targets.get(wanted, wanted)
        if written.startswith("/sys/class/block#"):
            path = self._at_address(written.partition("#")[2])
        elif written.startswith("/dev/"):
            path = written
        else:
            path = self._of_label(written)
        found = path and self._console.run(f"[ -b {shlex.quote(path)} ]", self._context, timeout=_SHORT)
        if not found or found.status:
            raise RecipeFault(
                f"the board has no target {wanted!r}"
                + (f" ({written})" if written != wanted else "")
                + f"; its block devices are {', '.join(self._block_devices()) or 'none'}",
                hint=f"the bundle names {', '.join(targets) or 'no targets'}",
            )
        if (
            self._console.run(f"grep -q '^{path}[ p0-9]' /proc/mounts", self._context, timeout=_SHORT).status
            == 0
        ):
            raise RecipeFault(f"{path} of the board is mounted: nothing was written")
        sectors = self.run(f"cat /sys/class/block/$(basename $(readlink -f {shlex.quote(path)}))/size")
        return Target(path, int(sectors) * 512)

    def job(self, script: str, end: int, total: int | None, limit: Duration) -> None:
        """Run a script in the background until it has ended, and show how far its ``dd`` is.

        `end`: 1 for what dd writes, 0 for what it reads. Raise Failed when that does not move for
        too long, or the time is over; how the script ended is in its own files.
        """
        self.run(f"rm -f {FOLDER}/ended {FOLDER}/job; mkdir -p {FOLDER}")
        self.run(f"( ( ( {script} ) >{FOLDER}/job 2>&1 </dev/null; echo ended $? >{FOLDER}/ended ) & )")
        began = moved = time.monotonic()
        position = -1
        while True:
            said = self._look(end)
            found = [int(each) for each in _POSITION.findall(said)]
            if found and max(found) > position:
                position, moved = max(found), time.monotonic()
                self._context.progress(position, total)
            if _ENDED.search(said):
                return
            now = time.monotonic()
            if now - moved > self._stall:
                raise Failed(f"nothing has moved for {self._stall}", evidence={"bytes": max(0, position)})
            if now - began > limit:
                raise Failed(f"it has not ended within {limit}", evidence={"bytes": max(0, position)})

    def _look(self, end: int) -> str:
        """Wait up to 2 s for the end of the job, and say how far it is; the board does the waiting."""
        ended = f"{FOLDER}/ended"
        return self.run(
            f"for i in 1 2; do [ -e {ended} ] && break; sleep 1; done; "
            f"for p in $(pidof dd); do grep pos: /proc/$p/fdinfo/{end}; done 2>/dev/null; "
            f"cat {ended} 2>/dev/null || :"
        )

    def _at_address(self, address: str) -> str:
        """Look a device up by what its path in sysfs holds, as ``4fb0000``."""
        name = self.run(
            "for b in /sys/class/block/*; do case $(readlink -f $b) in "
            f"*{shlex.quote(address)}*) echo ${{b##*/}}; break;; esac; done"
        )
        return f"/dev/{name}" if name else ""

    def _of_label(self, label: str) -> str:
        """Look a partition up by its label, without udev (sysfs, PARTNAME in uevent)."""
        found = self._console.run(
            f"grep -lx {shlex.quote('PARTNAME=' + label)} /sys/class/block/*/uevent",
            self._context,
            timeout=_SHORT,
        )
        return f"/dev/{found.output.strip().split('/')[4]}" if found.status == 0 else ""

    def _block_devices(self) -> list[str]:
        return [f"/dev/{name}" for name in self.run("ls /sys/class/block").split()]
