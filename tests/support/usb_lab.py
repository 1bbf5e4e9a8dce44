"""USB instruments for tests: a bus with devices that are played, and drivers that see it."""

from __future__ import annotations

import atexit
import fcntl
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.api import (
    Driver,
    LabError,
    MuxPosition,
    Power,
    PowerReading,
    PowerState,
    PowerVerb,
    RecipeFault,
    StorageMux,
    Unreachable,
    Unsupported,
)

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
"""Debian's: it has python3-gi."""
PRELOAD = "libumockdev-preload.so.0"
_KINDS = {each.__name__: each for each in (LabError, Unreachable, Unsupported, RecipeFault)}


class Talk:
    """A process that answers each line of JSON by one."""

    def __init__(self, command: list[str], **environment: str) -> None:
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, name: str, arguments: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the process has ended: {self.process.wait()}"
        answer = json.loads(line)
        assert not isinstance(answer.get("error"), str), answer["error"]
        if "error" in answer:
            raise _KINDS[answer["error"]["kind"]](answer["error"]["message"], hint=answer["error"]["hint"])
        return answer["answer"]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


class UsbBus:
    """A bus; what is plugged in is gone with `clear`."""

    def __init__(self) -> None:
        self._talk = Talk([PYTHON, str(HERE / "usb_bus.py")], LD_PRELOAD=PRELOAD)
        self.environment = {"LD_PRELOAD": PRELOAD, "UMOCKDEV_DIR": str(self.ask("root"))}
        self._plugged: set[str] = set()
        self._disks: set[str] = set()
        self._ttys: set[str] = set()
        self._generics: set[str] = set()

    def ask(self, what: str, /, **arguments: Any) -> Any:
        return self._talk.ask(what, arguments)

    def plug(self, location: str, model: str, **options: Any) -> None:
        self.ask("plug", location=location, model=model, **options)
        self._plugged.add(location)

    def unplug(self, location: str) -> None:
        self.ask("unplug", location=location)
        self._plugged.discard(location)

    def fault(self, location: str, **faults: Any) -> None:
        self.ask("fault", location=location, **faults)

    def log(self, location: str) -> list[str]:
        """Return what the device was sent since the last call."""
        log: list[str] = self.ask("log", location=location)
        return log

    @contextmanager
    def locked(self, location: str) -> Iterator[None]:
        """Hold the lock on a device's file."""
        with Path(self.ask("node", location=location)).open("rb") as node:
            fcntl.flock(node, fcntl.LOCK_EX)
            yield

    def plug_disk(self, location: str, name: str, of: str = "") -> None:
        """Plug a card reader in; `of`: where the mux of its card is."""
        self.ask("plug_disk", location=location, name=name, of=of)
        self._disks.add(location)

    def unplug_disk(self, location: str) -> None:
        self.ask("unplug_disk", location=location)
        self._disks.discard(location)

    def plug_tty(self, location: str, name: str, to: str) -> None:
        """Give a device a serial port; `to`: the terminal behind it."""
        self.ask("plug_tty", location=location, name=name, to=to)
        self._ttys.add(name)

    def plug_generic(self, location: str) -> None:
        """Give a card reader that is plugged in its file of SCSI commands."""
        self.ask("plug_generic", location=location)
        self._generics.add(location)

    def clear(self) -> None:
        for location in list(self._generics):
            self.ask("unplug_generic", location=location)
            self._generics.discard(location)
        for name in list(self._ttys):
            self.ask("unplug_tty", name=name)
            self._ttys.discard(name)
        for location in list(self._disks):
            self.unplug_disk(location)
        for location in list(self._plugged):
            self.unplug(location)

    def close(self) -> None:
        self._talk.close()


class Far:
    """A process that sees the bus, with drivers in it."""

    def __init__(self, bus: UsbBus) -> None:
        self.talk = Talk([sys.executable, "-P", str(HERE / "far_driver.py")], **bus.environment)

    def become(self, user: int) -> None:
        self.talk.ask("become", [user])

    def close(self) -> None:
        self.talk.close()


class FarDriver(Driver):
    """A driver of `runner.modules` in a process that sees the bus."""

    def __init__(self, far: Far, path: str, **options: Any) -> None:
        self._talk = far.talk
        self._number = self._talk.ask("make", [f"runner.modules.{path}", options])

    def call(self, name: str, *arguments: Any) -> Any:
        return self._talk.ask(f"{self._number}.{name}", arguments)

    def open(self) -> None:
        self.call("open")

    def close(self) -> None:
        self.call("close")


class FarPower(Power):
    """A switch of a far driver, or of a part of it (``power.``)."""

    def __init__(self, driver: FarDriver, part: str = "") -> None:
        self._driver, self._part = driver, part

    def _call(self, name: str) -> Any:
        return self._driver.call(self._part + name)

    def on(self) -> None:
        self._call("on")

    def off(self) -> None:
        self._call("off")

    def state(self) -> PowerState | None:
        state: PowerState | None = self._call("state")
        return state

    def read(self) -> PowerReading | None:
        found = self._call("read")
        return None if found is None else PowerReading(**found)

    def cycle(self) -> None:
        self._call("cycle")

    def force_on(self) -> None:
        self._call("force_on")

    def force_off(self) -> None:
        self._call("force_off")

    def rescue(self) -> None:
        self._call("rescue")

    def capabilities(self) -> tuple[PowerVerb, ...]:
        return tuple(self._call("capabilities"))

    def label(self) -> str:
        label: str = self._call("label")
        return label


class FarMux(StorageMux):
    """A storage mux of a far driver, or of a part of it (``storage.``)."""

    def __init__(self, driver: FarDriver, part: str = "") -> None:
        self._driver, self._part = driver, part

    def switch(self, position: MuxPosition) -> None:
        self._driver.call(self._part + "switch", position)

    def position(self) -> MuxPosition | None:
        position: MuxPosition | None = self._driver.call(self._part + "position")
        return position

    def medium(self) -> str:
        medium: str = self._driver.call(self._part + "medium")
        return medium

    def label(self) -> str:
        label: str = self._driver.call(self._part + "label")
        return label


class UsbLab:
    """A bus and a process that sees it; a test plugs in what it wants, and `clear` unplugs everything."""

    def __init__(self) -> None:
        self.bus = UsbBus()
        self.far = Far(self.bus)
        atexit.register(self.close)

    def close(self) -> None:
        self.far.close()
        self.bus.close()


@functools.cache
def usb_lab() -> UsbLab:
    """Return the one that all tests of a session share."""
    return UsbLab()
