"""The kernel's CAN interfaces: bit timing and state, through ``ip link`` (ip-link(8), "CAN Type Support")."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.api import LabError, RecipeFault, Unreachable, Unsupported

_LIMIT = 10.0
"""Seconds that ip(8) gets."""
_TIMING = ("bitrate", "sample_point", "data_bitrate", "data_sample_point", "fd", "listen_only")
_STATES = {
    "ERROR-ACTIVE": "active",
    "ERROR-WARNING": "warning",
    "ERROR-PASSIVE": "passive",
    "BUS-OFF": "bus-off",
    "STOPPED": "stopped",
}


@dataclass(frozen=True)
class Link:
    """How an interface stands; its `kind` is ``can``, ``vcan``, ``vxcan`` …, its `state` a word of ours."""

    name: str
    kind: str
    up: bool
    state: str
    timing: Mapping[str, Any]


def look(name: str) -> Link:
    """Ask the kernel about an interface; raise Unreachable when it has none of that name."""
    done = _ip("-details", "-json", "link", "show", "dev", name)
    if done.returncode:
        raise Unreachable(
            f"cannot open CAN bus socketcan {name}: {done.stderr.strip()}",
            hint="'ip -details link show' lists them; is the adapter plugged in, its driver loaded?",
        )
    found = json.loads(done.stdout)[0]
    info = found.get("linkinfo", {})
    data = info.get("info_data", {})
    timing = {
        "bitrate": data.get("bittiming", {}).get("bitrate"),
        "sample_point": _per_cent(data.get("bittiming", {}).get("sample_point")),
        "data_bitrate": data.get("data_bittiming", {}).get("bitrate"),
        "data_sample_point": _per_cent(data.get("data_bittiming", {}).get("sample_point")),
        "fd": "FD" in data.get("ctrlmode", []),
        "listen_only": "LISTEN-ONLY" in data.get("ctrlmode", []),
    }
    return Link(
        name=name,
        kind=info.get("info_kind", ""),
        up="UP" in found.get("flags", []),
        state=_STATES.get(data.get("state", ""), "active"),
        timing=timing,
    )


def prepare(name: str, options: Mapping[str, Any]) -> Link | None:
    """See that an interface is up with the bit timing that is asked for; set it where it is not.

    Return how it stands then; None when nothing is asked for and there is no ip(8). Raise LabError
    when that needs rights that we do not have, with what to type.
    """
    if shutil.which("ip") is None and not any(options[key] for key in _TIMING):
        return None  # python-can says whether it is there
    link = look(name)
    wanted = {key: options[key] for key in _TIMING if options[key]}
    if link.kind != "can":
        timed = [key for key in wanted if key != "fd"]
        if timed:
            raise Unsupported(f"{name} is a {link.kind or 'plain'} interface, which has no {timed[0]}")
        return link if link.up else _raised(link, ())
    different = {key: value for key, value in wanted.items() if not _near(link.timing[key], value)}
    if link.up and not different:
        return link
    if not link.timing["bitrate"] and not options["bitrate"]:
        raise RecipeFault(f"{name} has no bit rate yet", hint="give the device the option 'bitrate'")
    made = _raised(link, _words(wanted) if different else ())
    for key, value in wanted.items():
        if not _near(made.timing[key], value):
            shown = made.timing[key]
            raise LabError(
                f"{name} has a {key} of {shown} when told {value}: its clock gives no nearer one",
                evidence={"asked": wanted, "given": dict(made.timing)},
                hint=f"write {key}: {shown}, or leave it out",
            )
    return made


def _raised(link: Link, words: tuple[str, ...]) -> Link:
    commands: list[tuple[str, ...]] = [("link", "set", link.name, "up")]
    if words:
        commands = [("link", "set", link.name, "down"), ("link", "set", link.name, "type", "can", *words)]
        commands += [("link", "set", link.name, "up")]
    for command in commands:
        done = _ip(*command)
        if done.returncode:
            told = " && ".join(f"ip {' '.join(each)}" for each in commands)
            raise LabError(
                f"cannot prepare {link.name}: ip {' '.join(command)}: {done.stderr.strip()}",
                evidence={"command": list(command), "status": done.returncode},
                hint=f"run as root on the host: {told}",
            )
    return look(link.name)


def _words(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments of ``ip link set … type can``.

    >>> _words({"bitrate": 500000, "sample_point": 80.0, "listen_only": True})
    ('bitrate', '500000', 'sample-point', '0.800', 'listen-only', 'on')
    """
    words: list[str] = []
    for key, word in (("bitrate", "bitrate"), ("data_bitrate", "dbitrate")):
        point = {"bitrate": "sample_point", "data_bitrate": "data_sample_point"}[key]
        if wanted.get(key):
            words += [word, str(wanted[key])]
            if wanted.get(point):
                words += [point.replace("data_", "d").replace("_", "-"), f"{wanted[point] / 100:.3f}"]
    for key, word in (("fd", "fd"), ("listen_only", "listen-only")):
        words += [word, "on"] if wanted.get(key) else []
    return tuple(words)


def _near(found: Any, wanted: Any) -> bool:
    """Tell whether a setting is what was asked for, but for what a clock cannot hit exactly.

    That is 2 per cent of a bit in a sample point, and 1 per cent of a bit rate.
    """
    if found is None or isinstance(wanted, bool):
        return bool(found == wanted)
    off = abs(float(found) - float(wanted))
    return off <= (2.0 if isinstance(wanted, float) else float(wanted) / 100)


def _per_cent(ratio: Any) -> float | None:
    return None if ratio is None else float(ratio) * 100


def _ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["ip", *arguments], capture_output=True, text=True, timeout=_LIMIT, check=False, encoding="utf-8"
        )
    except FileNotFoundError as error:
        raise Unsupported("no program 'ip' on the host", hint="apt install iproute2") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"ip {' '.join(arguments)} has not answered within {_LIMIT:g} s") from error
