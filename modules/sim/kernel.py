"""The kernel of a simulated board: its messages, its clock, its ways to end."""

from __future__ import annotations

from collections import deque

from runner.modules.sim.hardware import Hardware
from runner.modules.sim.processor import Key, Out, Program, Restart, Sleep, encode

_BOOT_LOG = (
    "Linux version {release} (build@sim) (aarch64-sim-gcc (simulated) 12.2.0) #1 SMP PREEMPT",
    "Machine model: Simulated bench board",
    "earlycon: none",
    "Zone ranges: DMA [mem 0x0000000040000000-0x000000004fffffff]",
    "Kernel command line: {bootargs}",
    "Memory: 239984K/262144K available (9216K kernel code, 22160K reserved)",
    "rcu: Preemptible hierarchical RCU implementation.",
    "Console: colour dummy device 80x25",
    "printk: console [ttyS0] enabled",
    "smp: Brought up 1 node, 1 CPU",
    "cpuidle: using governor menu",
    "mmc0: new high speed SDHC card at address 0001",
    "mmcblk0: mmc0:0001 SIMSD {size}",
    "can: controller area network core",
    "random: crng init done",
    "EXT4-fs (mmcblk0): mounted filesystem with ordered data mode.",
    "VFS: Mounted root (ext4 filesystem) readonly.",
    "Freeing unused kernel memory: 1024K",
    "Run /sbin/init as init process",
)
_OOPS = (
    "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010",
    "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP",
    "CPU: 0 PID: 77 Comm: sensor-daemon Not tainted {release} #1",
    "pc : sim_sensor_read+0x18/0x60",
    "Call trace:",
    " sim_sensor_read+0x18/0x60",
    " el0t_64_sync+0x18c/0x190",
    "---[ end trace 0000000000000000 ]---",
)


class Kernel:
    """Prints to the console what its level lets through, and remembers all of it."""

    def __init__(self, hardware: Hardware, release: str, bootargs: str) -> None:
        """Start its clock now."""
        self.hardware = hardware
        self.release = release
        self.bootargs = bootargs
        self.console_level = 4 if "quiet" in bootargs.split() else 7
        self.messages: deque[str] = deque(maxlen=5000)
        self._started = hardware.processor.time

    @property
    def uptime(self) -> float:
        """Seconds since the kernel started."""
        return self.hardware.processor.time - self._started

    def message(self, text: str, level: int = 6) -> bytes:
        """Keep a message; return what of it goes to the console."""
        line = f"[{self.uptime:12.6f}] {text}\n"
        self.messages.append(line)
        return encode(line) if level < self.console_level else b""

    def boot(self) -> Program[None]:
        """Print the boot log over the first nine tenths of the boot time."""
        self.hardware.stage = "kernel"
        size = f"{self.hardware.medium_size / 2**20:g} MiB"
        pause = self.hardware.system.boot_time * 0.9 / len(_BOOT_LOG)
        for text in _BOOT_LOG:
            line = text.format(release=self.release, bootargs=self.bootargs, size=size)
            yield Out(self.message(line, level=5))
            yield Sleep(pause)

    def faults(self) -> tuple[Program[None], ...]:
        """Return what goes wrong beside everything else."""
        faults = self.hardware.faults
        found: list[Program[None]] = []
        if faults.printk_every is not None:
            found.append(self._chatter(faults.printk_every))
        if faults.log_every is not None:
            found.append(self._log(faults.log_every))
        if faults.oops_after is not None:
            found.append(self._oops(faults.oops_after))
        if faults.panic_after is not None:
            found.append(self._panic_after(faults.panic_after))
        return tuple(found)

    def panic(self, reason: str) -> None:
        """End everything in a panic."""
        self.hardware.processor.halt(self._panicking(reason))

    def restart(self) -> Program[None]:
        """Reset the board, as ``reboot`` ends."""
        yield Out(self.message("reboot: Restarting system", level=0))
        yield Sleep(0.01)
        yield Restart()

    def power_down(self) -> Program[None]:
        """Stop for good, as ``poweroff`` ends."""
        while self.hardware.faults.poweroff_hangs:
            yield Key()
        self.hardware.stage = "halted"
        yield Out(self.message("reboot: Power down", level=0))

    def _chatter(self, every: float) -> Program[None]:
        number = 0
        while True:
            yield Sleep(every)
            number += 1
            yield Out(
                self.message(f"sim: message {number} from the driver", self.hardware.faults.printk_level)
            )

    def _log(self, every: float) -> Program[None]:
        number = 0
        while True:
            yield Sleep(every)
            number += 1
            yield Out(encode(f"sensord[77]: sample {number} stored\n"))

    def _oops(self, after: float) -> Program[None]:
        yield Sleep(after)
        for text in _OOPS:
            yield Out(self.message(text.format(release=self.release), level=0))

    def _panic_after(self, after: float) -> Program[None]:
        yield Sleep(after)
        self.panic("Fatal exception in interrupt")

    def _panicking(self, reason: str) -> Program[None]:
        self.hardware.stage = "crashed"
        texts = (
            f"Kernel panic - not syncing: {reason}",
            f"CPU: 0 PID: 1 Comm: swapper/0 Not tainted {self.release} #1",
            "Hardware name: Simulated bench board",
            "Call trace:",
            " dump_backtrace+0x0/0x1a0",
            " panic+0x160/0x320",
        )
        for text in texts:
            yield Out(self.message(text, level=0))
        if self.hardware.faults.panic_end:
            yield Out(self.message(f"---[ end Kernel panic - not syncing: {reason} ]---", level=0))
