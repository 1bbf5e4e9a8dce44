"""What a call on the local agent costs, beside a bare echo through a pipe between two processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import say

from runner.agent.calls import Configure, DeviceSpec, Run
from runner.connect.process import LocalAgent
from runner.engine.cancel import Cancellation

CALLS = 2000
ROUNDS = 7
ECHO = "import os\nwhile data := os.read(0, 65536): os.write(1, data)"
SOURCE = """
from runner.api import Driver, Module, Power, device

class Nothing(Module):
    def run(self, context):
        return None

class Switch(Module):
    power: Power = device()
    def run(self, context):
        self.power.on()

class Plug(Driver, Power):
    def on(self): pass
    def off(self): pass
"""


def median_of(rounds: int, call: Callable[[], object], calls: int) -> float:
    """Return the median over `rounds` of the seconds that one call takes."""
    return statistics.median(_per_call(call, calls) for _ in range(rounds))


def _per_call(call: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls


def bare_echo() -> float:
    with subprocess.Popen(
        [sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as echo:
        assert echo.stdin is not None
        assert echo.stdout is not None
        there, back = echo.stdin.fileno(), echo.stdout.fileno()
        request = bytes(200)

        def once() -> None:
            os.write(there, request)
            os.read(back, 65536)

        once()
        return median_of(ROUNDS, once, CALLS)


def _ignore(_heard: object) -> None:
    return


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "bench.py")
        began = time.perf_counter()
        agent = LocalAgent(sources={"benched.calls": (file, SOURCE)}, console=_ignore, heard=_ignore)
        cancel = Cancellation()

        def ask(request: Configure | Run) -> object:
            return agent.call(request, _ignore, cancel=cancel)

        ask(Configure("bench", {"plug": DeviceSpec("plug", "benched.calls:Plug")}))
        started = time.perf_counter() - began
        nothing = Run("bench", "benched.calls:Nothing", {}, {}, 300.0)
        switch = Run("bench", "benched.calls:Switch", {}, {"power": "plug"}, 300.0)
        agent.call(switch, lambda _opened: None, cancel=cancel)
        bare = bare_echo()
        module = median_of(ROUNDS, lambda: ask(nothing), CALLS)
        device = median_of(ROUNDS, lambda: ask(switch), CALLS)
        began = time.perf_counter()
        agent.close()
        closed = time.perf_counter() - began
    say("bare echo through a pipe", f"{bare * 1e6:.0f} us", f"{1 / bare:.0f} a second")
    say("no-op module on the local agent", f"{module * 1e6:.0f} us", "at most 250 us")
    say("  a second, and times the bare echo", f"{1 / module:.0f}, x {module / bare:.1f}")
    say("device call on the local agent", f"{device * 1e6:.0f} us", "at most 300 us")
    say("  a second, and times the bare echo", f"{1 / device:.0f}, x {device / bare:.1f}")
    say("start of the agent to its first answer", f"{started * 1e3:.0f} ms")
    say("end of the agent", f"{closed * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
