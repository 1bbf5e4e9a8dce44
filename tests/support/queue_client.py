"""One client of a bench that many want: takes it, is there for a moment, gives it back, says when.

A process of its own, so that it can be killed: ``python queue_client.py CONFIGURATION`` (JSON).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import probes

from runner.agent.calls import Configure, Heard, Release, Run, Take, Waiting
from runner.api.verdicts import LabError
from runner.connect.link import Link
from runner.engine.cancel import Cancellation

PROBES = "lab_of_tests.probes"
SOURCES = {PROBES: ("probes.py", Path(probes.__file__).read_text(encoding="utf-8"))}


def main() -> int:
    """Print what happened as JSON; return 1 when the bench could not be had, or not alone."""
    asked = json.loads(sys.argv[1])
    told: dict[str, Any] = {"name": asked["name"]}
    link = _link(asked["host"])
    try:
        _use(link, asked, told)
    except LabError as error:
        told["error"] = error.message
    finally:
        link.close()
    print(json.dumps(told), flush=True)  # noqa: T201 - what the parent reads
    return 1 if "error" in told else 0


def _use(link: Link, asked: dict[str, Any], told: dict[str, Any]) -> None:
    cancel = Cancellation()

    def hear(heard: Heard) -> None:
        if isinstance(heard, Waiting):
            told.setdefault("queued", time.monotonic())

    told["asked"] = time.monotonic()
    take = Take("b", asked["name"], wait=asked["wait"], configure=Configure("b", {}))
    link.call(take, hear, cancel=cancel)
    run = Run("b", f"{PROBES}:Enters", {"witness": asked["witness"], "seconds": asked["seconds"]}, {}, 60.0)
    told["entered"], told["left"] = link.call(run, hear, cancel=cancel)["value"]
    link.call(Release("b"), hear, cancel=cancel)


def _link(host: dict[str, Any] | None) -> Link:
    if host is None:
        from runner.connect.process import LocalAgent

        return LocalAgent(sources=SOURCES, console=_unheard, heard=_unheard)
    from runner.connect.bootstrap import the_rest
    from runner.connect.remote import remote_agent
    from runner.model import Host

    there = Host(name="shelf1", options=host)
    return remote_agent(there, {}, sources=lambda: the_rest((), SOURCES), console=_unheard, heard=_unheard)


def _unheard(_heard: object) -> None:
    return


if __name__ == "__main__":
    sys.exit(main())
