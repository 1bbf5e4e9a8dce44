"""What switching a plug over MQTT costs, beside mosquitto_pub and mosquitto_sub, on a real broker here.

The plug is the emulated one of the tests, in a process of its own. Each figure is from the command
to the plug's own report: ours with the driver, theirs with `mosquitto_pub -l` and `mosquitto_sub`
that stay connected, with paho and nothing around it, and with one `mosquitto_rr` for each switch,
as a script would have it.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measure import have, say
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.mosquitto import Mosquitto, missing, mosquitto

from runner.api import Duration
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.tasmota import Tasmota

TESTS = Path(__file__).parents[1] / "tests"
MANY, ROUNDS = 200, 5
TOPICS = ("cmnd/lamp/POWER", "stat/lamp/POWER")
PLUG = """
import sys
sys.path.insert(0, sys.argv[1])
from support.plug import plug
with plug("lamp", int(sys.argv[2])):
    print("ready", flush=True)
    sys.stdin.read()
"""


def main() -> None:
    """Print the time and the CPU time of a switch, ours and theirs, and the ratios."""
    if missing():
        say("MQTT", "not measured", missing())
        return
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker, plugged(broker):
        first, wall, cpu = ours(broker)
        say("connect and first switch", f"{first * 1e3:.1f} ms")
        say("one switch, connected", f"{wall * 1e3:.2f} ms, CPU {cpu * 1e3:.2f} ms")
        its_wall, its_cpu = theirs(broker)
        say(
            "  mosquitto_pub -l and mosquitto_sub, connected",
            f"{its_wall * 1e3:.2f} ms, CPU {its_cpu * 1e3:.2f} ms",
        )
        say("  ours : theirs, time", f"{wall / its_wall:.2f} : 1", "at most 2 : 1")
        say("  ours : theirs, CPU", f"{cpu / its_cpu:.2f} : 1")
        say("  paho-mqtt alone", f"{bare(broker) * 1e3:.2f} ms")
        if have("mosquitto_rr"):
            its_wall, its_cpu = one_by_one(broker)
            say("  mosquitto_rr for each switch", f"{its_wall * 1e3:.2f} ms, CPU {its_cpu * 1e3:.2f} ms")
            say("  ours : mosquitto_rr, time", f"1 : {its_wall / wall:.1f}")
            say("  ours : mosquitto_rr, CPU", f"1 : {its_cpu / cpu:.1f}")


@contextlib.contextmanager
def plugged(broker: Mosquitto) -> Iterator[None]:
    """Run the plug beside us."""
    command = [sys.executable, "-c", PLUG, str(TESTS), str(broker.open)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        assert process.stdin is not None
        process.stdin.close()


def ours(broker: Mosquitto) -> tuple[float, float, float]:
    """Return the seconds of the first switch, and of one more: wall and CPU."""
    power = Tasmota(broker=Broker(address=f"127.0.0.1:{broker.open}"), topic="lamp", limit=Duration("30s"))
    began = time.perf_counter()
    power.open()
    power.on()
    first = time.perf_counter() - began
    began_cpu = time.process_time()
    wall = each(power.on)
    cpu = (time.process_time() - began_cpu) / MANY / ROUNDS
    power.close()
    return first, wall, cpu


def theirs(broker: Mosquitto) -> tuple[float, float]:
    """Return the seconds of one switch with both programs connected: wall and CPU."""
    before = children_cpu()
    sub = ["stdbuf", "-oL", "mosquitto_sub", "-p", str(broker.open), "-t", TOPICS[1]]
    pub = ["mosquitto_pub", "-p", str(broker.open), "-t", TOPICS[0], "-q", "1", "-l"]
    with (
        subprocess.Popen(sub, stdout=subprocess.PIPE) as listening,
        subprocess.Popen(pub, stdin=subprocess.PIPE, bufsize=0) as sending,
    ):
        assert listening.stdout is not None
        assert sending.stdin is not None
        told, said = sending.stdin, listening.stdout

        def switch() -> None:
            told.write(b"ON\n")
            said.readline()

        time.sleep(0.5)  # nothing says when a subscription stands
        switch()
        wall = each(switch)
        told.close()
        sending.wait(10)
        listening.terminate()
    return wall, (children_cpu() - before) / MANY / ROUNDS


def bare(broker: Mosquitto) -> float:
    """Return the seconds of one switch with the library that we use, and with no care taken."""
    heard, ready = threading.Event(), threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_subscribe = lambda *_: ready.set()
    client.on_publish = lambda *_: hurry(client)
    client.on_message = lambda *_: (hurry(client), heard.set())
    client.connect("127.0.0.1", broker.open)
    client.loop_start()
    client.subscribe(TOPICS[1])
    ready.wait(10)

    def switch() -> None:
        heard.clear()
        client.publish(TOPICS[0], "ON", 1)
        heard.wait(10)

    switch()
    wall = each(switch)
    client.disconnect()
    client.loop_stop()
    return wall


def hurry(client: paho.Client) -> None:
    """Keep packets from waiting for one another, or each switch takes 40 ms."""
    connection: Any = client.socket()
    for option in (socket.TCP_NODELAY, socket.TCP_QUICKACK):
        connection.setsockopt(socket.IPPROTO_TCP, option, 1)


def one_by_one(broker: Mosquitto) -> tuple[float, float]:
    """Return the seconds of one mosquitto_rr: wall and CPU."""
    command = [
        "mosquitto_rr",
        "-p",
        str(broker.open),
        "-t",
        TOPICS[0],
        "-e",
        TOPICS[1],
        "-m",
        "ON",
        "-q",
        "1",
    ]
    before, times = children_cpu(), []
    for _ in range(MANY // 5):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=30)
        times.append(time.perf_counter() - began)
    return statistics.median(times), (children_cpu() - before) / len(times)


def each(call: Callable[[], object]) -> float:
    """Return the median over rounds of the median seconds of a call."""
    rounds = []
    for _ in range(ROUNDS):
        times = []
        for _ in range(MANY):
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        rounds.append(statistics.median(times))
    return statistics.median(rounds)


def children_cpu() -> float:
    """Return the CPU seconds of the processes that we have started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
