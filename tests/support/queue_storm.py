"""Many clients want one bench, and some of them are killed: controllers, agents, processes of sshd."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.command import wait_until
from support.ssh_server import SshServer

from runner.agent.calls import Take
from runner.agent.holder import Holder
from runner.agent.locks import Locks
from runner.agent.stop import Stop

CLIENT = Path(__file__).with_name("queue_client.py")
_EVERY_TENTH_OVER_SSH = 10


@dataclass
class Storm:
    """What came of it. `freed`: seconds from the kill of a holder until the bench was somebody else's, or free."""

    clients: int
    served: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    killed: dict[str, int] = field(default_factory=dict)
    freed: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def out_of_order(self) -> list[tuple[str, str]]:
        """Return pairs of which the second had asked only when the first was in the queue, and came first."""
        queued = [each for each in self.served if "queued" in each]
        return [
            (one["name"], other["name"])
            for one in queued
            for other in self.served
            if one["queued"] < other["asked"] and other["entered"] < one["entered"]
        ]

    def double(self) -> list[str]:
        """Return what shows that two held the bench at once."""
        spans = sorted((each["entered"], each["left"], each["name"]) for each in self.served)
        overlaps = [f"{a[2]} and {b[2]}" for a, b in itertools.pairwise(spans) if b[0] < a[1]]
        return overlaps + [each["name"] for each in self.failed if "somebody else" in each["error"]]

    def __str__(self) -> str:
        """Write it for people."""
        kills = ", ".join(f"{count} {kind}" for kind, count in sorted(self.killed.items()))
        freed = sorted(self.freed)
        return (
            f"{self.clients} clients, {len(self.served)} served, killed: {kills}; "
            f"after the kill of a holder the bench was free within {freed[-1] if freed else 0:.3f} s "
            f"({len(freed)} times, median {freed[len(freed) // 2] if freed else 0:.3f} s); {self.seconds:.0f} s"
        )


def storm(
    server: SshServer,
    clients: int,
    *,
    seed: int,
    at_once: int,
    kills: float,
    least_kills: int = 0,
    hold: float = 0.05,
) -> Storm:
    """Let so many clients have the bench, `at_once` at a time; kill something every `kills` seconds or so.

    On a fast machine more clients come, until `least_kills` were killed.
    """
    it = Storm(0)
    began = time.monotonic()
    killer = _Killer(server, it, random.Random(seed), kills)
    running: dict[subprocess.Popen[str], str] = {}

    def goes_on() -> bool:
        return it.clients < clients or sum(it.killed.values()) < least_kills

    with killer:
        while running or goes_on():
            while len(running) < at_once and goes_on():
                running[_client(server, it.clients, hold)] = f"client {it.clients}"
                it.clients += 1
            killer.controllers = [each.pid for each in running]
            ended = [each for each in running if each.poll() is not None]
            for each in ended:
                del running[each]
                _take_in(it, each, killer.victims)
            if not ended:
                time.sleep(0.01)
            if time.monotonic() > began + 120 + 3 * clients:
                raise AssertionError(f"stuck: {it}; {Locks(lambda: server.folder).standing('b')}")
    it.seconds = time.monotonic() - began
    return it


def _client(server: SshServer, number: int, hold: float) -> subprocess.Popen[str]:
    over_ssh = number % _EVERY_TENTH_OVER_SSH == 0
    asked = {
        "name": f"client {number}",
        "wait": 600.0,
        "seconds": hold,
        "witness": str(server.folder / "witness"),
        "host": server.options() if over_ssh else None,
    }
    return subprocess.Popen(
        [sys.executable, str(CLIENT), json.dumps(asked)],
        env={**os.environ, "RUNNER_LOCKS": str(server.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )


def _take_in(it: Storm, client: subprocess.Popen[str], victims: Mapping[str, str]) -> None:
    out, _ = client.communicate(timeout=30)
    if client.returncode == -signal.SIGKILL:
        return
    told = json.loads(out)
    if "error" not in told:
        it.served.append(told)
    elif told["name"] not in victims or "somebody else" in told["error"]:
        it.failed.append(told)


class _Killer:
    """Kills at random, until the end of the block."""

    def __init__(self, server: SshServer, it: Storm, chance: random.Random, every: float) -> None:
        self.controllers: Sequence[int] = ()
        self.victims: dict[str, str] = {}
        self._it = it
        self._chance = chance
        self._every = every
        self._locks = Locks(lambda: server.folder)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="killer")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(self._chance.uniform(0.2, 1.8) * self._every):
            kind = self._chance.choice(("holder", "holder", "waiter", "controller", "sshd"))
            standing = self._locks.standing("b")
            known = [each for each in standing.waiting if each is not None]
            match kind:
                case "holder" if standing.holder:
                    self._kill("holding agents", standing.holder.pid, standing.holder)
                case "waiter" if known:
                    waiter = self._chance.choice(known)
                    self._kill("waiting agents", waiter.pid, waiter)
                case "sshd":
                    self._kill_sshd([*known, *([standing.holder] if standing.holder else [])])
                case "controller" if self.controllers:
                    self._kill("controllers", self._chance.choice(list(self.controllers)), None)

    def _kill_sshd(self, agents: Sequence[Holder]) -> None:
        for each in agents:
            session = _session_of(each.pid)
            if session:
                self._kill("processes of sshd", session, each)
                return

    def _kill(self, kind: str, pid: int, whose: Holder | None) -> None:
        holder = self._locks.standing("b").holder
        if whose is not None:
            self.victims[whose.holder] = kind
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self._it.killed[kind] = self._it.killed.get(kind, 0) + 1
            if whose is not None and whose == holder:
                self._it.freed.append(self._until_free(holder))

    def _until_free(self, holder: Holder) -> float:
        began = time.monotonic()
        while self._locks.standing("b").holder == holder and time.monotonic() < began + 30:
            time.sleep(0.002)
        return time.monotonic() - began


def _session_of(agent: int) -> int:
    """Return the process of sshd that an agent hangs on, which is a child of the server; 0 for none."""
    try:
        warden = _parent(agent)
        above = _parent(warden)
        name = Path(f"/proc/{above}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return above if name.startswith("sshd") else 0


def _parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def free_at_the_end(server: SshServer) -> bool:
    """Tell whether somebody who does not wait gets the bench, once the last that were killed are gone."""
    locks = Locks(lambda: server.folder)
    wait_until(lambda: not locks.standing("b").held, "nobody has the bench")
    locks.take(Take("b", "the last one"), lambda _heard: None, Stop())
    locks.drop_all()
    return True
