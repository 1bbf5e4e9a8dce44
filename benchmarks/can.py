"""CAN beside bare python-can, on the same interface: receiving, a question and its answer, periodic frames."""

from __future__ import annotations

import itertools
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.remove(str(HERE))  # or `import can` would find this file
import can  # noqa: E402

sys.path.insert(0, str(HERE))
from agent import median_of  # noqa: E402
from measure import say  # noqa: E402

from runner.agent.calls import Configure, DeviceSpec, Run  # noqa: E402
from runner.api.unattended import Unattended  # noqa: E402
from runner.connect.process import LocalAgent  # noqa: E402
from runner.engine.cancel import Cancellation  # noqa: E402
from runner.modules.can.can import Can  # noqa: E402

FRAMES = 20_000
ROUNDS = 5
PAIRS = 500
PERIOD = 0.005
BEATS = 400
SENDER = """
import os, struct, sys, time
descriptor, count, rate = (int(each) for each in sys.argv[1:])
frames = [
    bytes([0xAA]) + struct.pack("<IBI", 0, 8, 0x100) + struct.pack("<Q", number) + bytes([0xBB])
    for number in range(count)
]
sys.stdin.read(1)
began = time.monotonic()
for first in range(0, count, 8):
    if rate:
        time.sleep(max(0.0, began + first / rate - time.monotonic()))
    data = b"".join(frames[first : first + 8])
    while data:
        data = data[os.write(descriptor, data) :]
sys.stdin.read()
"""
"""Frames of python-can's interface `serial` for a pty: so many, so many a second or as fast as they are taken."""
SOURCE = """
import can
from runner.api import Driver, Module, Power, device

class Nothing(Module):
    def run(self, context):
        return None

class Unit(Driver, Power):
    def open(self):
        self.bus = can.Bus(interface="virtual", channel="bench", ignore_config=True)
        self.notifier = can.Notifier(self.bus, [self.answer], timeout=0.05)
    def answer(self, message):
        if message.arbitration_id == 0x123:
            self.bus.send(can.Message(arbitration_id=0x456, is_extended_id=False, data=message.data))
    def close(self):
        self.notifier.stop()
        self.bus.shutdown()
    def on(self): pass
    def off(self): pass

class Wake(Module):
    power: Power = device()
    def run(self, context):
        self.power.on()
"""


@contextmanager
def sender(count: int, rate: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a sender on a pty; it begins when a byte comes on its stdin."""
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    command = [sys.executable, "-c", SENDER, str(master), str(count), str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(master,)) as process:
        yield os.ttyname(slave), process
    os.close(master)
    os.close(slave)


def bare_receive() -> float:
    with sender(FRAMES) as (port, process):
        bus = can.Bus(interface="serial", channel=port, ignore_config=True)
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.flush()
        while bus.recv(timeout=1) is None:
            pass
        began, seen = time.perf_counter(), 1
        while seen < FRAMES:
            seen += bus.recv(timeout=1) is not None
        spent = time.perf_counter() - began
        bus.shutdown()
    return FRAMES / spent


def our_receive(log: str) -> float:
    with sender(FRAMES) as (port, process):
        bus = Can(interface="serial", channel=port, log=log)
        bus.open()
        context = Unattended()
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.flush()
        bus.next(0, 60, context)
        began = time.perf_counter()
        while bus.latest() < FRAMES:
            time.sleep(0.005)
        spent = time.perf_counter() - began
        bus.close()
        for path in bus.artifacts().values():
            path.unlink()
    return FRAMES / spent


def lost_of_a_minute(seconds: int) -> tuple[int, int]:
    """Return how many of the frames of `seconds` at 8,000 a second came, and were in the log."""
    count = 8000 * seconds
    with sender(count, 8000) as (port, process):
        bus = Can(interface="serial", channel=port)
        bus.open()
        assert process.stdin is not None
        process.stdin.write(b"x")
        process.stdin.flush()
        until = time.monotonic() + 3 * seconds
        while bus.latest() < count and time.monotonic() < until:
            time.sleep(0.1)
        bus.close()
        came, logged = bus.latest(), int(str(bus.info()["logged"]))
        for path in bus.artifacts().values():
            path.unlink()
    return count - came, count - logged


def bare_pair() -> float:
    """Return the seconds of a question and its answer on bare python-can."""
    unit = can.Bus(interface="virtual", channel="bare", ignore_config=True)
    bus = can.Bus(interface="virtual", channel="bare", ignore_config=True)

    def answer(message: can.Message) -> None:
        unit.send(can.Message(arbitration_id=0x456, is_extended_id=False, data=message.data))

    notifier = can.Notifier(unit, [answer], timeout=0.05)
    question = can.Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01\x02")

    def once() -> None:
        bus.send(question)
        while bus.recv(timeout=1) is None:
            pass

    spent = median_of(ROUNDS, once, PAIRS)
    notifier.stop()
    unit.shutdown()
    bus.shutdown()
    return spent


def our_pair() -> tuple[float, float]:
    """Return the seconds of can_send and can_expect on the local agent, and of a module that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "bench.py")

        def ignore(_heard: object) -> None:
            return

        agent = LocalAgent(sources={"benched.unit": (file, SOURCE)}, console=ignore, heard=ignore)
        cancel = Cancellation()
        bus = {"interface": "virtual", "channel": "bench", "log": "none"}
        devices = {
            "unit": DeviceSpec("unit", "benched.unit:Unit"),
            "can0": DeviceSpec("can", "runner.modules.can.can:Can", bus),
        }
        agent.call(Configure("bench", devices), ignore, cancel=cancel)
        send = Run(
            "bench",
            "runner.modules.can.can_send:CanSend",
            {"id": 0x123, "data": {"$bytes": "AQI="}},
            {"bus": "can0"},
            300.0,
        )
        expect = Run(
            "bench", "runner.modules.can.can_expect:CanExpect", {"id": 0x456}, {"bus": "can0"}, 300.0
        )
        nothing = Run("bench", "benched.unit:Nothing", {}, {}, 300.0)

        def pair() -> None:
            agent.call(send, ignore, cancel=cancel)
            agent.call(expect, ignore, cancel=cancel)

        agent.call(Run("bench", "benched.unit:Wake", {}, {"power": "unit"}, 300.0), ignore, cancel=cancel)
        pair()
        spent = median_of(ROUNDS, pair, PAIRS)
        trip = median_of(ROUNDS, lambda: agent.call(nothing, ignore, cancel=cancel), PAIRS)
        agent.close()
    return spent, trip


def jitter(times: list[float]) -> float:
    """Return the mean distance of the intervals from the period."""
    return statistics.fmean(abs(late - early - PERIOD) for early, late in itertools.pairwise(times))


def beats(start: object) -> float:
    listener = can.Bus(interface="virtual", channel="beat", ignore_config=True)
    stop = start()  # type: ignore[operator]
    times: list[float] = []
    while len(times) < BEATS:
        if listener.recv(timeout=5) is not None:
            times.append(time.perf_counter())
    stop()
    listener.shutdown()
    return jitter(times)


def bare_beats() -> float:
    bus = can.Bus(interface="virtual", channel="beat", ignore_config=True)
    message = can.Message(arbitration_id=0x55, is_extended_id=False, data=b"\x01")
    found = beats(lambda: bus.send_periodic(message, PERIOD).stop)
    bus.shutdown()
    return found


def our_beats() -> float:
    from runner.api import ByteString, CanFrame, Duration

    bus = Can(interface="virtual", channel="beat", log="none")
    bus.open()
    frame = CanFrame(0x55, ByteString("01"))
    found = beats(lambda: bus.send_periodic([frame], Duration(PERIOD), None).stop)
    bus.close()
    return found


def main() -> None:
    bare, without, logged = (
        statistics.median(each)
        for each in zip(
            *((bare_receive(), our_receive("none"), our_receive("candump")) for _ in range(ROUNDS)),
            strict=True,
        )
    )
    say("received by bare python-can (serial, pty)", f"{bare:.0f} frames/s")
    say("received by the driver, no log", f"{without:.0f} frames/s, x {without / bare:.2f}", "at least 0.8")
    say("received by the driver, candump log", f"{logged:.0f} frames/s, x {logged / bare:.2f}")
    alone, (pair, trip) = bare_pair(), our_pair()
    say("question and answer on bare python-can (virtual)", f"{alone * 1e6:.0f} us")
    say("no-op module on the local agent", f"{trip * 1e6:.0f} us")
    limit = 1.5 * (alone + 2 * trip)
    say("can_send and can_expect", f"{pair * 1e6:.0f} us", f"1.5 x (bare + 2 calls): {limit * 1e6:.0f} us")
    theirs = statistics.median(bare_beats() for _ in range(3))
    ours = statistics.median(our_beats() for _ in range(3))
    say("jitter of python-can's periodic frames", f"{theirs * 1e6:.0f} us")
    say("jitter of can_periodic", f"{ours * 1e6:.0f} us, x {ours / theirs:.2f}", "at most 1")
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    lost, unlogged = lost_of_a_minute(seconds)
    say(f"lost at 8,000 frames a second for {seconds} s", f"{lost}, in the log {unlogged}", "none")


if __name__ == "__main__":
    main()
