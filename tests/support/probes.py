"""Modules and drivers that behave badly on purpose; pushed to agents as source."""

# ruff: noqa: PTH123, T201
# They take a context that they ignore, and print where nobody should.

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from runner.api import (
    Checksum,
    Context,
    Driver,
    Failed,
    FilePath,
    Module,
    Power,
    Result,
    Secret,
    arg,
    child,
    device,
)
from runner.api.process import end, popen
from runner.console import Chunk, Console, ConsoleSettings, Stream


class Said(Result):
    """Anything."""

    value: object


class Nothing(Module):
    def run(self, context: Context) -> None:
        return None


class Echo(Module):
    text: str = arg(help="what to return")
    number: int = arg(help="what to return, too")

    def run(self, context: Context) -> Said:
        return Said(value=[self.text, self.number])


class Chatty(Module):
    def run(self, context: Context) -> None:
        context.log("hello", "warning")
        context.measure("volts", 3.3, "V")
        context.progress(1, 2)
        context.progress(2, 2)
        context.artifact("big.bin", bytes(range(256)) * 8192)


class Prints(Module):
    def run(self, context: Context) -> Said:
        print("a stray print")
        os.write(1, b"a stray write\n")
        ctypes.CDLL(None).puts(b"a stray puts")
        ctypes.CDLL(None).fflush(None)
        subprocess.run(["echo", "a stray child"], check=True)
        return Said(value=sys.stdin.read())


class Processes(Module):
    def run(self, context: Context) -> Said:
        return Said(value=[os.getpid(), os.getppid()])


class Interpreter(Module):
    def run(self, context: Context) -> Said:
        return Said(value={"executable": sys.executable, "path": sys.path, "file": __file__})


class Exits(Module):
    status: int = arg(help="with what")

    def run(self, context: Context) -> None:
        print("about to leave", file=sys.stderr)
        os._exit(self.status)


class Segfaults(Module):
    def run(self, context: Context) -> None:
        ctypes.string_at(0)


class Raises(Module):
    def run(self, context: Context) -> None:
        raise ConnectionResetError("by peer")


class Fails(Module):
    def run(self, context: Context) -> None:
        raise Failed("no prompt", evidence={"tail": b"x"}, hint="power it", result=Said(value=1))


class Leaves(Module):
    def run(self, context: Context) -> None:
        sys.exit(3)


class Large(Module):
    size: int = arg(help="of the result")

    def run(self, context: Context) -> Said:
        return Said(value="x" * self.size)


class Sleeps(Module):
    seconds: float = arg(help="how long")

    def run(self, context: Context) -> Said:
        context.log("sleeping")
        context.sleep(self.seconds)
        return Said(value="slept")


class Keeps(Module):
    """Sleeps until it is stopped, and then gives what it has."""

    def run(self, context: Context) -> None:
        context.log("asleep")
        try:
            context.sleep(600)
        finally:
            context.artifact("kept.bin", bytes(range(256)) * 8192)


class Late(Module):
    """Ends well, but only after its limit."""

    def run(self, context: Context) -> Said:
        over = threading.Event()
        context.on_cancel(over.set)
        over.wait(60)
        return Said(value="late")


class Lingers(Module):
    """Leaves a thread behind that Python would wait for."""

    def run(self, context: Context) -> None:
        threading.Thread(target=threading.Event().wait).start()


class Deaf(Module):
    """Does not stop when told to, but ends once its file is there."""

    file: str = arg(help="a named pipe; it ends when somebody writes to it")
    power: Power = device()

    def run(self, context: Context) -> None:
        context.log("deaf")
        with open(self.file, encoding="utf-8") as pipe:
            pipe.read()


class Switch(Module):
    power: Power = device()

    def run(self, context: Context) -> Said:
        self.power.on()
        return Said(value=context.devices["power"])


class Listens(Module):
    console: Probe = device()

    def run(self, context: Context) -> None:
        self.console.say(b"hello from the board\n" * 10)


class Waits(Module):
    console: Probe = device()

    def run(self, context: Context) -> None:
        context.sleep(60)


class Meets(Module):
    """Waits until so many calls are under way at once."""

    barrier: int = arg(help="how many")

    def run(self, context: Context) -> Said:
        meeting = vars(sys.modules["threading"]).setdefault("_probe_meeting", threading.Barrier(self.barrier))
        meeting.wait(30)
        return Said(value=threading.active_count())


class Spawns(Module):
    """Starts a program that ignores SIGTERM, and a daemon that has left its session."""

    def run(self, context: Context) -> Said:
        stubborn = subprocess.Popen(["sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"], stdout=-1)
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        daemon = subprocess.run(
            ["setsid", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"], stdout=-1, check=True
        )
        return Said(value=[os.getpid(), stubborn.pid, int(daemon.stdout)])


class Imported(Module):
    def run(self, context: Context) -> Said:
        return Said(value=sorted(sys.modules))


class Plug(Driver, Power):
    """A plug that writes down what happens to it."""

    diary: str = arg(help="a file")
    slow_to_close: float = arg(default=0.0, help="seconds")

    def _note(self, what: str) -> None:
        with open(self.diary, "a", encoding="utf-8") as file:
            file.write(what + "\n")

    def open(self) -> None:
        self._note("open")

    def close(self) -> None:
        time.sleep(self.slow_to_close)
        self._note("close")

    def on(self) -> None:
        self._note("on")

    def off(self) -> None:
        self._note("off")


class Enters(Module):
    """Is on a bench for a while, and finds out by a lock of its own whether anybody else is."""

    witness: str = arg(help="a file that nobody else has locked while we are on the bench")
    seconds: float = arg(help="how long")

    def run(self, context: Context) -> Said:
        descriptor = os.open(self.witness, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT, 0o666)
        try:
            entered = time.monotonic()
            while not self._alone(descriptor):
                if time.monotonic() > entered + 0.02:  # the kernel closes the files of the dead one by one
                    raise Failed("somebody else is on the bench")
            context.sleep(self.seconds)
        finally:
            os.close(descriptor)
        return Said(value=[entered, time.monotonic()])

    def _alone(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Guest(Driver):
    """Something that a program plays."""

    diary: str = arg(help="a file that gets its process id")

    def open(self) -> None:
        self._process = popen(["sleep", "1000"])
        with open(self.diary, "w", encoding="utf-8") as file:
            file.write(str(self._process.pid))

    def close(self) -> None:
        end(self._process)

    @child
    def console(self) -> Probe:
        return Probe()


class Probe(Console):
    """A console that says what it is told to."""

    settings = ConsoleSettings()

    def connect(self) -> Stream:
        raise AssertionError("nobody opens this port")

    def start(self, record: Callable[[Chunk], None], name: str, **_: object) -> None:
        self._record = record
        self._index = 0
        self.say(b"started\n")

    def stop(self) -> None:
        self.say(b"stopped\n")

    def say(self, data: bytes) -> None:
        self._record(Chunk(self._index, time.monotonic_ns(), time.time_ns(), data))
        self._index += len(data)


class Floods(Module):
    size: int = arg(help="how much it says")
    console: Probe = device()

    def run(self, context: Context) -> None:
        for _ in range(self.size // 4096):
            self.console.say(b"f" * 4096)


class Sees(Module):
    """Say what a file is here."""

    file: FilePath = arg(help="the file")

    def run(self, context: Context) -> Said:
        path = Path(self.file)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return Said(value={"path": str(path), "sha256": sha256, "blocks": path.stat().st_blocks})


class Fetches(Sees):
    """Say what a file is here that had to be asked for with credentials."""

    fetches = "file"

    sha256: Checksum = arg(default=Checksum(""), help="what the file has to have")
    headers: dict[str, Secret] = arg(default={}, help="what goes along")
    bearer: Secret = arg(default=Secret(""), help="a token")
    beside: FilePath | None = arg(default=None, help="another file")


class Reader(Driver, Power):
    """A plug that says what its file is."""

    file: FilePath = arg(help="the file")

    def on(self) -> None:
        path = Path(self.file)
        raise Failed(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}")

    def off(self) -> None:
        pass
