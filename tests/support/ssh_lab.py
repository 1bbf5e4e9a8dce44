"""An agent on an SSH host, and what is heard of it; inventories whose benches are there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from support import probes
from support.ssh_server import SshServer

from runner.agent.calls import Configure, ConsoleBytes, DeviceSpec, Heard, Run, Said
from runner.connect.bootstrap import the_rest
from runner.connect.remote import remote_agent
from runner.engine.cancel import Cancellation
from runner.model import Host

PROBES = "lab_of_tests.probes"
SHOWN = "/where/the/author/keeps/probes.py"
OWN = {PROBES: (SHOWN, Path(probes.__file__).read_text(encoding="utf-8"))}
SIMULATED = {
    "labels": {"board": "sim", "has-can": None},
    "devices": {
        "board": {"driver": "sim", "system": {"hostname": "sim-{{ bench.index }}"}},
        "power": {"ref": "board.power"},
        "console": {"ref": "board.console"},
    },
}


class SshLab:
    """An agent on a server, with the probes."""

    def __init__(self, server: SshServer, hosts: Mapping[str, Host] | None = None, **options: Any) -> None:
        self.said: list[Said] = []
        self.chunks: list[ConsoleBytes] = []
        self._heard = threading.Condition()
        host = Host(name="shelf1", options=server.options(**options))
        self.agent = remote_agent(
            host,
            hosts or {},
            sources=lambda: the_rest((), OWN),
            console=self.chunks.append,
            heard=self._note,
        )

    def _note(self, heard: Heard) -> None:
        assert isinstance(heard, Said)
        with self._heard:
            self.said.append(heard)
            self._heard.notify_all()

    def configure(self, **devices: tuple[str, dict[str, Any]]) -> None:
        specs = {
            name: DeviceSpec(cls.lower(), f"{PROBES}:{cls}", options)
            for name, (cls, options) in devices.items()
        }
        self.ask(Configure(bench="b", devices=specs))

    def ask(self, request: Any, hear: Callable[[Heard], None] = lambda _heard: None) -> Any:
        return self.agent.call(request, hear, cancel=Cancellation())

    def run(self, module: str, devices: Mapping[str, str] | None = None, **arguments: Any) -> Any:
        answer = self.ask(Run("b", f"{PROBES}:{module}", arguments, dict(devices or {}), 60.0))
        return answer["value"] if isinstance(answer, dict) else answer


def inventory(folder: Path, hosts: Mapping[str, Any], benches: Mapping[str, Any]) -> str:
    """Write an inventory (JSON is YAML) and return its path."""
    path = folder / "lab.yaml"
    path.write_text(json.dumps({"hosts": hosts, "benches": benches}), encoding="utf-8")
    return str(path)


def tree(*folders: Path) -> dict[str, tuple[int, int]]:
    """Return every file under some folders with its size and time of change."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for folder in folders
        for path in (folder, *folder.rglob("*"))
    }
