"""What the facts about a host mean: a line for each thing that was looked at, red ones with what to do."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runner.agent.holder import Holder
from runner.api.values import Size
from runner.api.verdicts import Verdict

State = Literal["ok", "note", "red"]
_CLOCK = 2.0
"""Seconds that clocks may differ: more, and the times of consoles mislead."""
_FREE = 256 * 2**20
"""Bytes that an agent needs for images and logs of a usual run."""
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "name": ("has no address", "resolve hostname", "Name or service not known"),
    "refused": ("onnection refused",),
    "time-out": ("no answer within", "timed out"),
    "host key": ("key SHA256:", "Host key", "host key", "HOST IDENTIFICATION"),
    "authentication": ("nobody was let in", "Permission denied"),
    "jump": ("the host before it on the way",),
    "python": ("Python",),
}
"""What in an error tells why a host cannot be reached: ours, and those of the program ssh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `what`: a word that stays the same; `todo`: for red ones."""

    host: str
    bench: str = ""
    what: str
    state: State = "ok"
    said: str
    todo: str = ""


def unreachable(host: str, error: Verdict) -> Finding:
    """Say why a host cannot be reached, by a word for programs."""
    found = (kind for kind, signs in _SIGNS.items() if any(sign in error.message for sign in signs))
    kind = next(found, "agent")
    todo = error.hint or "the message says what went wrong; -vv of a run says more"
    return Finding(host=host, what=f"reach: {kind}", state="red", said=error.message, todo=todo)


def of_host(
    host: str, facts: Mapping[str, Any], seconds: float, offset: float, margin: float
) -> Iterator[Finding]:
    """Judge a host. `offset`: seconds its clock is ahead, give or take `margin`; `seconds`: to reach it."""
    yield Finding(
        host=host, what="reach", said=f"{facts['user']}@{facts['host']} answered in {seconds:.1f} s"
    )
    yield Finding(host=host, what="python", said=f"Python {facts['python']}")
    yield _clock(host, offset, margin)
    yield from (_disk(host, each) for each in facts["disks"])
    yield _locks(host, facts["locks"])
    yield _policy(host, facts["policy"])


def of_device(
    host: str, bench: str, name: str, fact: Mapping[str, Any], facts: Mapping[str, Any]
) -> Iterator[Finding]:
    """Judge a device of a bench."""
    finding = functools.partial(Finding, host=host, bench=bench, what=f"device {name}")
    if fact["error"]:
        todo = fact["hint"] or "see the options of the device in the inventory"
        yield finding(state="red", said=fact["error"], todo=todo)
        return
    for node in fact["nodes"]:
        yield finding(**_node(node, facts))
    for program, found in fact["programs"].items():
        if found["path"]:
            yield finding(said=f"{program} is {found['path']}")
        else:
            todo = f"on {facts['host']}: apt install {found['package']}"
            yield finding(state="red", said=f"there is no program {program}", todo=todo)
    for library, package in fact["libraries"].items():
        todo = f"on {facts['host']}: apt install {package}"
        kind = "library" if ".so" in library else "Python module"
        yield finding(state="red", said=f"there is no {kind} {library}", todo=todo)
    if not (fact["nodes"] or fact["programs"] or fact["libraries"]):
        yield finding(said="needs nothing of the host that could be missing")


def of_bench(host: str, bench: str, standing: Mapping[str, Any]) -> Finding:
    """Judge how a bench stands."""
    finding = functools.partial(Finding, host=host, bench=bench, what="held")
    if standing["quarantine"]:
        notice = standing["quarantine"]
        said = f"in quarantine since {notice['since']} by {notice['who']}: {notice['reason']}"
        return finding(
            state="red", said=said, todo=f"when it is fit again: runner quarantine {bench} --clear"
        )
    if standing["held"]:
        holder = Holder(**standing["holder"]) if standing["holder"] else "somebody"
        waiting = len(standing["waiting"])
        said = f"held by {holder}" + (f"; {waiting} waiting" if waiting else "")
        return finding(state="note", said=said)
    if standing["reserved"]:
        lease = standing["reserved"]
        return finding(state="note", said=f"reserved by {lease['owner']} until {lease['until']}")
    return finding(said="free")


def _clock(host: str, offset: float, margin: float) -> Finding:
    direction = "ahead of" if offset > 0 else "behind"
    said = f"{abs(offset):.2f} s {direction} this machine's, give or take {margin:.2f} s"
    if abs(offset) - margin <= _CLOCK:
        return Finding(host=host, what="clock", said=said)
    todo = "one of the two is wrong: timedatectl on both; apt install systemd-timesyncd, or chrony"
    return Finding(host=host, what="clock", state="red", said=said, todo=todo)


def _disk(host: str, disk: Mapping[str, Any]) -> Finding:
    path = disk["path"]
    if "error" in disk:
        todo = "make that folder, or name another one with TMPDIR or RUNNER_LOCKS there"
        return Finding(host=host, what="disk", state="red", said=f"{path}: {disk['error']}", todo=todo)
    said = f"{path}: {Size(disk['free'])} of {Size(disk['total'])} free"
    if disk["free"] < min(_FREE, disk["total"] // 2):
        what = (
            f"runner-files-* of {disk['left']} agents that ended, and other files"
            if disk["left"]
            else "files"
        )
        todo = f"remove {what} in {path}, or name another folder with TMPDIR"
        return Finding(host=host, what="disk", state="red", said=said, todo=todo)
    return Finding(host=host, what="disk", said=said)


def _locks(host: str, locks: Mapping[str, Any]) -> Finding:
    if locks["error"]:
        todo = locks["hint"] or "see RUNNER_LOCKS"
        return Finding(host=host, what="locks", state="red", said=locks["error"], todo=todo)
    return Finding(
        host=host, what="locks", said=f"{locks['folder']}, on {locks['kind'] or 'an unknown file system'}"
    )


def _policy(host: str, policy: Mapping[str, Any]) -> Finding:
    if policy["broken"]:
        todo = "whoever looks after the host has to put that right; until then nothing may be done there"
        return Finding(host=host, what="policy", state="red", said=policy["broken"], todo=todo)
    if not policy["there"]:
        return Finding(host=host, what="policy", said=f"none ({policy['path']}): everything is allowed")
    said = "; ".join(policy["lines"]) or f"{policy['path']} says nothing for this user"
    if policy["writable"]:
        todo = f"chown root:root {policy['path']}; chmod 644 {policy['path']}"
        return Finding(
            host=host,
            what="policy",
            state="red",
            said=f"{policy['path']} can be changed by its user",
            todo=todo,
        )
    return Finding(host=host, what="policy", said=said)


def _node(node: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    path = node["path"]
    if not node["there"]:
        return _missing(node)
    if not (node["readable"] and node["writable"]):
        return {"state": "red", "said": _rights(node, facts), "todo": _remedy(node, facts)}
    if node["overruns"]:
        said = f"{path} has lost {node['overruns']} times bytes that came too fast"
        todo = (
            "flow control (rtscts), a lower baudrate, or a USB adapter: the counter goes back with a reboot"
        )
        return {"state": "red", "said": said, "todo": todo}
    counted = "" if node["overruns"] is None else ", no overruns"
    return {"said": f"{path} can be read and written{counted}"}


def _missing(node: Mapping[str, Any]) -> dict[str, Any]:
    path = node["path"]
    if not path.startswith("/dev/"):
        return {"state": "note", "said": f"{path} is not there (yet)"}
    there = ", ".join(node["beside"]) if path.startswith("/dev/serial/") else ""
    todo = "is it plugged in and switched on? dmesg there says what the kernel saw"
    if there:
        todo += f"; there are: {there}"
    return {"state": "red", "said": f"{path}: {node['why']}", "todo": todo}


def _rights(node: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    lacking = "read" if not node["readable"] else "written"
    if not node["readable"] and not node["writable"]:
        lacking = "read or written"
    return (
        f"{node['path']} cannot be {lacking} by {facts['user']}: it is {node['mode']} of {node['owner']} and "
        f"group {node['group']}, and the login is in {', '.join(facts['groups'])}"
    )


def _remedy(node: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    group, grants = node["group"], node["mode"][4:6] == "rw"
    if grants and group != "root" and group not in facts["groups"]:
        return f"on {facts['host']}: sudo usermod -aG {group} {facts['user']}, and log in again"
    return 'a rule of udev gives it a group that the login is in: GROUP="dialout", MODE="0660" (udev(7))'
