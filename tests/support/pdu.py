"""A power distribution unit below net-snmp's agent (snmpd.conf(5), pass_persist): rPDUOutletControl of APC.

Run as `python pdu.py FOLDER [QMP]`. Every value that is set is noted in FOLDER/calls. Outlet 5 is stuck,
6 reads a value that nobody knows, 7 refuses, and 1 switches the virtual machine whose monitor is at QMP.
What is in FOLDER/mood, `stick` or `refuse`, holds for all of them.
"""

import json
import socket
import sys
from pathlib import Path

TABLE = ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4"
ON, OFF, REBOOT = 1, 2, 3
STUCK, ODD, REFUSES, LAST = 5, 6, 7, 8


class Machine:
    """A virtual machine that waits in reset while it is off (QEMU QMP Reference Manual)."""

    def __init__(self, path: str) -> None:
        self._monitor = socket.socket(socket.AF_UNIX)
        self._monitor.connect(path)
        self._lines = self._monitor.makefile("r", encoding="utf-8")
        self._lines.readline()
        self._ask("qmp_capabilities")

    def switch(self, value: int) -> None:
        if value in (OFF, REBOOT):
            self._ask("stop")
            self._ask("system_reset")
        if value in (ON, REBOOT):
            self._ask("cont")

    def state(self) -> int:
        return ON if self._ask("query-status")["running"] else OFF

    def _ask(self, command: str) -> dict:
        self._monitor.sendall(json.dumps({"execute": command}).encode() + b"\n")
        while "return" not in (answer := json.loads(self._lines.readline())):
            assert "error" not in answer, answer
        return answer["return"]


class Unit:
    """Eight outlets."""

    def __init__(self, folder: Path, machine: "Machine | None") -> None:
        self.states = dict.fromkeys(range(1, LAST + 1), OFF)
        self._calls = folder / "calls"
        self._mood = folder / "mood"
        self._machine = machine

    def read(self, outlet: int) -> int:
        if outlet == 1 and self._machine:
            return self._machine.state()
        return 9 if outlet == ODD else self.states[outlet]

    def write(self, outlet: int, value: int) -> str:
        mood = self._mood.read_text(encoding="utf-8") if self._mood.exists() else ""
        if outlet not in self.states or outlet == REFUSES or mood == "refuse":
            return "not-writable"
        if value not in (ON, OFF, REBOOT):
            return "wrong-value"
        with self._calls.open("a", encoding="utf-8") as calls:
            calls.write(f"{outlet}={value}\n")
        if outlet == 1 and self._machine:
            self._machine.switch(value)
        if outlet != STUCK and mood != "stick":
            self.states[outlet] = ON if value == REBOOT else value
        return "DONE"

    def after(self, oid: str) -> int:
        """Return the first outlet behind an identifier, or one too many."""
        if oid == TABLE:
            return 1
        rest = oid[len(TABLE) + 1 :] if oid.startswith(TABLE + ".") else str(LAST)
        return int(rest.split(".")[0]) + 1


def main() -> None:
    unit = Unit(Path(sys.argv[1]), Machine(sys.argv[2]) if len(sys.argv) > 2 else None)
    for line in iter(sys.stdin.readline, ""):
        if command := line.strip():  # net-snmp sends an empty line after a value
            print(answer(unit, command), flush=True)  # noqa: T201 - a program that answers on stdout


def answer(unit: Unit, command: str) -> str:
    if command == "PING":
        return "PONG"
    oid = sys.stdin.readline().strip()
    if command == "set":
        kind, _, value = sys.stdin.readline().strip().partition(" ")
        return unit.write(outlet_of(oid), int(value)) if kind == "integer" else "wrong-type"
    outlet = unit.after(oid) if command == "getnext" else outlet_of(oid)
    return f"{TABLE}.{outlet}\ninteger\n{unit.read(outlet)}" if outlet in unit.states else "NONE"


def outlet_of(oid: str) -> int:
    number = oid[len(TABLE) + 1 :]
    return int(number) if oid.startswith(TABLE + ".") and number.isdigit() else 0


if __name__ == "__main__":
    main()
