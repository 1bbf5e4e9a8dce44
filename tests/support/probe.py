"""A program in the place of probe-rs: it notes how it was called, and behaves as the test says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from runner.modules.debug.probe_rs import ProbeRs

_PROGRAM = f"""#!{sys.executable} -IS
import json, os, sys, time
from pathlib import Path

here = Path(__file__).parent
told = json.loads((here / "told.json").read_text())
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
time.sleep(told.get("seconds", 0))
sys.stderr.write(told.get("stderr", ""))
verb, *rest = sys.argv[1:]
memory = json.loads((here / "memory.json").read_text())
if told.get("status"):
    sys.exit(told["status"])
if "stdout" in told:
    sys.stdout.write(told["stdout"])
elif verb == "read":
    width, at = int(rest[0][1:]), int(rest[1], 0)
    words = [memory.get(str(at + n * width // 8), 0) for n in range(int(rest[2]))]
    digits = width // 4
    table = " ".join(f"{{each:0{{digits}}x}}" for each in words)
    print(f"{{at:08x}}: {{table}}" if told.get("table") else table)
elif verb == "write" and not told.get("forgets"):
    width, at = int(rest[0][1:]), int(rest[1], 0)
    for n, word in enumerate(rest[2:]):
        memory[str(at + n * width // 8)] = int(word, 0)
    (here / "memory.json").write_text(json.dumps(memory))
"""


class Probe:
    """The program, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "probe-rs"
        self.path.write_text(_PROGRAM, encoding="utf-8")
        self.path.chmod(0o755)
        (folder / "memory.json").write_text("{}", encoding="utf-8")
        self.tell()

    def tell(self, **behaviour: Any) -> None:
        """Have it behave so from now on: status, stderr, stdout, seconds, table, forgets."""
        self.path.with_name("told.json").write_text(json.dumps(behaviour), encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        """Its arguments, call by call."""
        return [arguments for arguments, _ in self._noted()]

    @property
    def environment(self) -> dict[str, str]:
        """That of its last call."""
        return self._noted()[-1][1]

    def driver(self, **options: Any) -> ProbeRs:
        made = ProbeRs(executable=str(self.path), **options)
        made.open()
        return made

    def _noted(self) -> list[Any]:
        text = self.path.with_name("calls").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]
