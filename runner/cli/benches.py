"""`runner benches`: who has which bench, who waits for it, and which hosts do not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

import click

from runner.agent.calls import Look
from runner.api.values import Duration
from runner.api.verdicts import Verdict
from runner.cli.common import duration, find_benches, inventory_option, output_option, with_modules_beside
from runner.cli.table import print_rows
from runner.model import Bench, Host

Answer = Mapping[str, Any] | str
"""How a bench stands (`runner.agent.standing`), or why its host does not say."""


@click.command()
@click.argument("pattern", metavar="[PATTERN]", default="all")
@inventory_option
@click.option(
    "--within",
    callback=duration,
    default="20s",
    show_default=True,
    metavar="TIME",
    help="How long a host may take to answer.",
)
@output_option
def command(pattern: str, inventories: tuple[str, ...], within: Duration, output: str) -> int:
    """List benches: free, held (by whom, since and until when), reserved or in quarantine, and who waits.

    All hosts are asked at the same time. A host that does not answer is listed with the reason.

    \b
    Examples:
      runner benches -i lab.yaml
      runner benches board=rpi4 -o json
    """
    from runner.inventory.select import select

    inventory = find_benches(inventories, None, with_modules_beside("recipe.yaml"))
    benches = select(pattern, inventory, None)
    answers = ask_all(benches, inventory.hosts, within)
    rows = [row(bench, answers[bench.name]) for bench in benches]
    print_rows(rows if output in {"json", "yaml"} else [brief(each) for each in rows], output)
    return 0


def ask_all(benches: Sequence[Bench], hosts: Mapping[str, Host], within: float) -> dict[str, Answer]:
    """Ask the hosts of all benches at the same time, each for `within` seconds at most."""
    late = f"no answer within {Duration(within)} (--within)"
    answers: dict[str, Answer] = {bench.name: late for bench in benches}
    told: SimpleQueue[tuple[str, Answer]] = SimpleQueue()
    by_host: dict[str, list[Bench]] = {}
    for bench in benches:
        if bench.out_of_service:
            answers[bench.name] = ""
        else:
            by_host.setdefault(bench.host.name, []).append(bench)
    for name, there in by_host.items():
        threading.Thread(
            target=_ask, args=(there, hosts, told.put), name=f"asking {name}", daemon=True
        ).start()
    until = time.monotonic() + within
    for _ in range(sum(map(len, by_host.values()))):
        try:
            name, answer = told.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        answers[name] = answer
    return answers


def _ask(benches: Sequence[Bench], hosts: Mapping[str, Host], tell: Any) -> None:
    from runner.connect.agents import connector
    from runner.engine.cancel import Cancellation

    link = connector(dict, hosts=hosts, classes=tuple)(benches[0].host, _unheard, _unheard)
    for bench in benches:
        try:
            answer: Answer = link.call(Look(bench=bench.name), _unheard, cancel=Cancellation())
        except Verdict as error:
            answer = error.message
        except Exception as error:  # noqa: BLE001 - a crash there is a row here, and the others are listed
            answer = f"{type(error).__name__}: {error}"
        tell((bench.name, answer))
    link.close()


def row(bench: Bench, answer: Answer) -> dict[str, Any]:
    """Return what is known of a bench, every key always there."""
    found: dict[str, Any] = {
        "bench": bench.name,
        "host": bench.host.name,
        "state": "",
        "who": "",
        "run": "",
        "since": "",
        "until": "",
        "reason": "",
        "waiting": [],
        "reserved": None,
    }
    if bench.out_of_service:
        return {**found, "state": "out of service", "reason": bench.out_of_service}
    if isinstance(answer, str):
        return {**found, "state": "unreachable", "reason": answer}
    found["waiting"] = [each or {} for each in answer["waiting"]]
    found["reserved"] = answer["reserved"]
    return {**found, **_state(answer)}


def _state(answer: Mapping[str, Any]) -> dict[str, Any]:
    quarantine, reserved, holder = answer["quarantine"], answer["reserved"], answer["holder"] or {}
    if answer["held"]:
        return {
            "state": "held",
            "who": holder.get("who", "somebody"),
            "run": holder.get("holder", ""),
            "since": holder.get("since", ""),
            "until": holder.get("until", ""),
            "reason": f"in quarantine next: {quarantine['reason']}" if quarantine else "",
        }
    if quarantine:
        said = {name: quarantine[name] for name in ("who", "run", "since", "reason")}
        return {"state": "quarantine", **said}
    if reserved:
        said = {name: reserved[name] for name in ("since", "until", "reason")}
        return {"state": "reserved", "who": reserved["owner"], **said}
    return {"state": "free"}


def brief(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for a table: who waits becomes a number, a reservation that is in use a note."""
    reserved = found["reserved"]
    note = found["reason"]
    if reserved and found["state"] != "reserved":
        note = "; ".join(filter(None, (note, f"reserved by {reserved['owner']} until {reserved['until']}")))
    shown = {name: found[name] for name in ("bench", "host", "state", "who", "run", "since", "until")}
    return {**shown, "queue": len(found["waiting"]) or "", "reason": note}


def _unheard(_heard: object) -> None:
    """Hear nothing: looking touches no device."""
