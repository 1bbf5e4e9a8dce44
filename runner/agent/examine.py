"""What a host is like, for ``runner doctor``: facts only; what they mean is judged by the controller.

Nothing is opened: opening a serial port raises DTR, which resets some boards.
"""

from __future__ import annotations

import contextlib
import grp
import importlib.util
import os
import pwd
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.agent.instrument import driver_of
from runner.agent.lock_files import file_system, lock_folder
from runner.agent.places import PREFIX
from runner.agent.policy import Rules, login
from runner.api.needs import Needs
from runner.api.values import FilePath
from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.agent.calls import DeviceSpec, Examine

_SERIAL = Path("/proc/tty/driver/serial")
_OVERRUNS = re.compile(r"^(\d+):.*\boe:(\d+)", re.MULTILINE)
_MOUNTS = Path("/proc/self/mountinfo")


def examine(request: Examine, make_rules: Callable[[], Rules]) -> dict[str, Any]:
    """Return the facts about this host and the devices of a bench, as JSON can hold them."""
    rules, broken = _rules(make_rules)
    facts: dict[str, Any] = {
        "user": rules.user if rules is not None else login(),
        "host": os.uname().nodename,
        "python": ".".join(map(str, sys.version_info[:3])),
        "groups": sorted(_groups()),
        "disks": [_disk(Path(each)) for each in _folders()],
        "locks": _locks(),
        "policy": {**_policy(rules), "broken": broken},
        "devices": {name: _device(name, spec, rules) for name, spec in request.devices.items()},
    }
    return {**facts, "time": time.time()}


def _rules(make_rules: Callable[[], Rules]) -> tuple[Rules | None, str]:
    try:
        return make_rules(), ""
    except LabError as error:
        return None, error.message


def _policy(rules: Rules | None) -> dict[str, Any]:
    if rules is None:
        return {"path": "", "there": True, "writable": False, "lines": []}
    path = rules.host.path
    return {
        "path": path,
        "there": rules.host.there,
        "writable": rules.host.there and os.geteuid() != 0 and os.access(path, os.W_OK),
        "lines": [str(each) for each in rules.host.lines],
    }


def _groups() -> Iterator[str]:
    for number in {os.getegid(), *os.getgroups()}:
        yield _group(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _folders() -> list[str]:
    temporary = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - only looked at
    with contextlib.suppress(LabError):  # told as a fact of its own
        return [temporary, str(lock_folder(os.environ))]
    return [temporary]


def _disk(folder: Path) -> dict[str, Any]:
    try:
        found = shutil.disk_usage(folder)
    except OSError as error:
        return {"path": str(folder), "error": error.strerror}
    return {"path": str(folder), "free": found.free, "total": found.total, "left": _left_over(folder)}


def _left_over(folder: Path) -> int:
    """Return how many folders of agents are there that have ended."""
    owners = (each.name.removeprefix(PREFIX).partition("-")[0] for each in folder.glob(f"{PREFIX}*"))
    return sum(1 for each in owners if each.isdigit() and not Path("/proc", each).exists())


def _locks() -> dict[str, Any]:
    try:
        folder = lock_folder(os.environ)
        kind = file_system(folder.resolve(), _MOUNTS.read_text(encoding="utf-8"))
    except (LabError, OSError) as error:
        hint = error.hint if isinstance(error, LabError) else ""
        return {"folder": "", "kind": "", "error": str(error), "hint": hint}
    return {"folder": str(folder), "kind": kind, "error": "", "hint": ""}


def _device(name: str, spec: DeviceSpec, rules: Rules | None) -> dict[str, Any]:
    try:
        if rules is not None:
            rules.host.allow_devices({name: spec})
        needs = _needs(spec)
    except LabError as error:
        return {"error": error.message, "hint": error.hint, "refused": "policy" in error.evidence}
    return {
        "error": "",
        "nodes": [_node(each) for each in needs.nodes if _is_here(each)],
        "programs": _programs(needs.programs),
        "libraries": {each: package for each, package in needs.libraries.items() if not _importable(each)},
    }


def _is_here(node: str) -> bool:
    """Tell whether a driver opens a path of this host: files of the controller's are put there later."""
    return node.startswith("/") and not isinstance(node, FilePath)


def _needs(spec: DeviceSpec) -> Needs:
    return driver_of(spec).needs()


def _programs(wanted: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"package": package, "path": shutil.which(name) or ""} for name, package in wanted.items()}


def _importable(name: str) -> bool:
    if ".so" in name:
        return _loadable(name)
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _loadable(name: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _node(path: str) -> dict[str, Any]:
    """Return what is known of a file without opening it."""
    try:
        found = Path(path).stat()
    except OSError as error:
        beside = Path(path).parent
        names = sorted(each.name for each in beside.iterdir())[:20] if _listable(beside) else []
        return {"path": path, "there": False, "why": error.strerror, "beside": names}
    return {
        "path": path,
        "there": True,
        "readable": os.access(path, os.R_OK),
        "writable": os.access(path, os.W_OK),
        "owner": _owner(found.st_uid),
        "group": _group(found.st_gid),
        "mode": stat.filemode(found.st_mode),
        "overruns": _overruns(Path(path).resolve().name),
    }


def _listable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK)


def _overruns(name: str) -> int | None:
    """Return how many bytes a UART has lost since it was started; None when the kernel does not say."""
    if not name.startswith("ttyS"):
        return None
    try:
        lines = _SERIAL.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    counts = {int(number): int(count) for number, count in _OVERRUNS.findall(lines)}
    return counts.get(int(name[4:])) if name[4:].isdigit() else None
