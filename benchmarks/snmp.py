"""What switching an outlet over SNMP costs, beside snmpset, on a real agent of net-snmp on this machine."""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import have, say, seconds

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.snmpd import AUTH_KEY, PRIV_KEY, RARITAN, WRITE, Snmpd, missing, snmpd

from runner.modules.snmp.snmp import Snmp

MANY = 200


def main() -> None:
    """Print the time and the CPU time of a SET, ours and snmpset's, and the ratios."""
    if missing() or not have("snmpset"):
        say("SNMP", "not measured", missing() or "no program 'snmpset': apt install snmp")
        return
    with tempfile.TemporaryDirectory() as name, snmpd(Path(name) / "agent") as agent:
        beside(agent, "v2c", agent.v2(), ["-v2c", "-c", WRITE])
        keys = ["-a", "SHA", "-A", AUTH_KEY, "-x", "AES", "-X", PRIV_KEY]
        options = ["-v3", "-u", "sha-aes128", "-l", "authPriv", *keys]
        beside(agent, "v3, SHA and AES", agent.v3("sha-aes128"), options)


def beside(agent: Snmpd, kind: str, ours: dict[str, object], theirs: list[str]) -> None:
    """Print both figures of one way to ask."""
    outlet = Snmp(**ours, outlet=3, preset="raritan")
    began = time.perf_counter()
    outlet.open()
    outlet.on()
    say(f"open and first SET, {kind}", f"{(time.perf_counter() - began) * 1e3:.1f} ms")
    wall, cpu = each(outlet.on)
    outlet.close()
    command = ["snmpset", *theirs, f"127.0.0.1:{agent.port}", f"{RARITAN}.3", "i", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    its_wall = seconds(command, cwd=Path("/"), times=40)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    its_cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 40
    say(f"one SET, {kind}", f"{wall * 1e3:.2f} ms, CPU {cpu * 1e3:.2f} ms")
    say("  snmpset", f"{its_wall * 1e3:.2f} ms, CPU {its_cpu * 1e3:.2f} ms")
    say("  ours : snmpset's, time", f"1 : {its_wall / wall:.1f}", "at most 2 : 1")
    say("  ours : snmpset's, CPU", f"1 : {its_cpu / cpu:.1f}", "at most 2 : 1")


def each(call: Callable[[], None]) -> tuple[float, float]:
    """Return the median time of a call, and its mean CPU time."""
    times = []
    cpu = time.process_time()
    for _ in range(MANY):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times), (time.process_time() - cpu) / MANY


if __name__ == "__main__":
    main()
