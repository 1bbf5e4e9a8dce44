"""DUTLink test harnesses: power, a storage mux and a serial port in one board on USB."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from runner.api import (
    Described,
    Driver,
    Duration,
    MuxPosition,
    Needs,
    Power,
    PowerReading,
    StorageMux,
    Unreachable,
    arg,
    child,
)
from runner.api.medium import there
from runner.console import Console, ConsoleSettings, Stream
from runner.modules.usb.attached import attached, the_one
from runner.modules.usb.device import NEEDED
from runner.modules.usb.dutlink_protocol import KIND, Harness
from runner.modules.usb.tty import open_tty, tty_of

_LOOK_EVERY = 0.05


class DutlinkPower(Power):
    """The supply of a DUTLink: it measures, and cannot say how its switch stands."""

    def __init__(self, harness: Harness) -> None:
        """Take the open board."""
        self._harness = harness

    def on(self) -> None:
        """Switch it on, also when it was switched on before."""
        self._harness.power("on")

    def off(self) -> None:
        """Switch it off, also when it was switched off before."""
        self._harness.power("off")

    def force_on(self) -> None:
        """Force it on."""
        self._harness.power("force_on")

    def force_off(self) -> None:
        """Force it off."""
        self._harness.power("force_off")

    def rescue(self) -> None:
        """Start the board in its rescue mode."""
        self._harness.power("rescue")

    def read(self) -> PowerReading:
        """Measure voltage, current and power."""
        return self._harness.reading()

    def label(self) -> str:
        """Return the serial number."""
        return self._harness.name


class DutlinkStorage(StorageMux):
    """The storage mux of a DUTLink; it cannot be read back."""

    def __init__(self, harness: Harness, storage_device: str) -> None:
        """Take the open board, and where the host finds the medium."""
        self._harness = harness
        self._storage_device = storage_device

    def switch(self, position: MuxPosition) -> None:
        """Give the medium to one side, also when it was before."""
        self._harness.storage(position)

    def medium(self) -> str:
        """Return the path of the medium; raise Unreachable while it is not there."""
        if not self._storage_device:
            raise Unreachable(
                f"it is not known where the medium of {self._harness.name} is",
                hint="give the device the option storage_device, by a path in /dev/disk/by-path",
            )
        return there(self._storage_device)

    def label(self) -> str:
        """Return the serial number."""
        return self._harness.name


class DutlinkConsole(Console):
    """The serial port of a DUTLink, or another that comes with the power of its board."""

    def __init__(
        self, harness: Harness, *, alternate: str, wait: Duration, baudrate: int, settings: ConsoleSettings
    ) -> None:
        """Take the open board; `alternate`: the path of another port, which may take `wait` to appear."""
        self._harness = harness
        self._alternate = alternate
        self._wait = wait
        self._baudrate = baudrate
        self.settings = settings

    def connect(self) -> Stream:
        """Open the port; raise Unreachable when it is not there, or somebody else has it."""
        if not self._alternate:
            tty = tty_of(self._harness.found, self._harness.name, "alternate_console")
            return open_tty(tty, self._baudrate)
        if Path(self._alternate).exists():
            return open_tty(self._alternate, self._baudrate)
        self._harness.power("on")
        try:
            self._await_port()
            return open_tty(self._alternate, self._baudrate)
        finally:
            self._harness.power("off")

    def _await_port(self) -> None:
        until = time.monotonic() + self._wait
        while not Path(self._alternate).exists():
            if time.monotonic() > until:
                raise Unreachable(
                    f"{self._alternate!r} was not there within {self._wait} of switching the power on",
                    evidence={"port": self._alternate, "limit": float(self._wait)},
                    hint="a slow one gets more time by the option 'alternate_wait'",
                )
            time.sleep(_LOOK_EVERY)


class Dutlink(Driver, Described):
    """A DUTLink board: `power`, `storage` and `console` of the board that it is wired to.

    Its power has force_on, force_off and rescue, and measures. Not tried with the hardware itself.

    Example::

        devices:
          harness:
            driver: dutlink
            serial: c415a913
            storage_device: /dev/disk/by-path/pci-0000:00:14.0-usb-0:2.1:1.0-scsi-0:0:0:0
    """

    serial: str = arg(
        default="", primary=True, help="its serial number; not needed for the only one of a host"
    )
    storage_device: str = arg(
        default="",
        help="the block device of its medium on the host: a path that stays, as /dev/disk/by-path/…",
    )
    alternate_console: str = arg(
        default="",
        help="another serial port for the console; one that is not there appears with the power, which is "
        "switched on for finding it, and off again",
    )
    alternate_wait: Duration = arg(default=Duration("5s"), help="how long that may take")
    baudrate: int = arg(default=115200, help="bits per second of the console", minimum=1)
    limit: Duration = arg(
        default=Duration("20s"), help="how long it may take to answer: it does not while it presses buttons"
    )
    settings: ConsoleSettings = arg(default=ConsoleSettings(), help="how the console is used")

    def needs(self) -> Needs:
        """Return libusb, the medium and the port."""
        nodes = tuple(each for each in (self.storage_device, self.alternate_console) if each)
        return Needs(libraries=NEEDED, nodes=nodes)

    def open(self) -> None:
        """Find it; raise LabError when it is not there or there are several."""
        self._harness = Harness(the_one(attached([KIND]), "DUTLink", serial=self.serial), self.limit)

    def close(self) -> None:
        """Let go of it; the board stays as it is."""
        self._harness.close()

    def about(self) -> Mapping[str, str]:
        """Return its version, its serial number, what it measures, and where it is on the host."""
        found = self._harness.found
        return {
            "version": self._harness.text("version"),
            "power": self._harness.text("power"),
            "voltage": self._harness.text("voltage"),
            "current": self._harness.text("current"),
            "serial": found.serial,
            "location": found.location,
            "tty": self.alternate_console or self._tty(),
        }

    @child
    def power(self) -> DutlinkPower:
        """Its supply of the board."""
        return DutlinkPower(self._harness)

    @child
    def storage(self) -> DutlinkStorage:
        """Its mux of the medium."""
        return DutlinkStorage(self._harness, self.storage_device)

    @child
    def console(self) -> DutlinkConsole:
        """Its serial console."""
        return DutlinkConsole(
            self._harness,
            alternate=self.alternate_console,
            wait=self.alternate_wait,
            baudrate=self.baudrate,
            settings=self.settings,
        )

    def _tty(self) -> str:
        try:
            return tty_of(self._harness.found, self._harness.name, "alternate_console")
        except Unreachable:  # that it has none is an answer
            return ""
