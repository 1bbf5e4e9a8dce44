"""What QEMU's monitor tells of a machine (QEMU QMP Reference Manual), as our words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from runner.api import LabError, MachineDisk, MachineForward, MachineSnapshot, RecipeFault, Size, Unsupported
from runner.modules.machine.options import Forward


class Ask(Protocol):
    """Runs a command of the monitor."""

    def __call__(self, command: str, arguments: Mapping[str, object]) -> Any:
        """Return the answer; raise LabError when it is refused."""


_RULE = re.compile(r"(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)")


def status(ask: Ask) -> str:
    """Return the word of ``query-status``."""
    return str(ask("query-status", {})["status"])


def version(ask: Ask) -> str:
    """Return QEMU's version."""
    found = ask("query-version", {})["qemu"]
    return f"{found['major']}.{found['minor']}.{found['micro']}"


def accelerator(ask: Ask) -> str:
    """Tell whether the processor is emulated."""
    return "kvm" if ask("query-kvm", {})["enabled"] else "tcg"


def disks(ask: Ask) -> tuple[MachineDisk, ...]:
    """Return the media that are in."""
    found = [each for each in ask("query-block", {}) if "inserted" in each]
    return tuple(_disk(each["device"] or each["inserted"]["node-name"], each["inserted"]) for each in found)


def _disk(name: str, inserted: Mapping[str, Any]) -> MachineDisk:
    return MachineDisk(
        name=name,
        path=inserted["file"],
        format=inserted["drv"],
        size=Size(inserted["image"]["virtual-size"]),
        writable=not inserted["ro"],
    )


def forwards(ask: Ask, wanted: Mapping[str, Forward]) -> dict[str, MachineForward]:
    """Return where the forwards listen, the free ports that were chosen included."""
    rules = list(listening(human(ask, "info usernet")))
    made: dict[str, MachineForward] = {}
    for name, each in wanted.items():
        fits = (
            rule
            for rule in rules
            if (rule.protocol, rule.host, rule.guest) == (each.protocol, each.address, each.guest)
            and each.host in (0, rule.port)
        )
        if (rule := next(fits, None)) is None:
            raise LabError(f"QEMU does not tell where the forward {name!r} listens")
        rules.remove(rule)
        made[name] = rule
    return made


def listening(text: str) -> Iterator[MachineForward]:
    """Read what ``info usernet`` prints.

    >>> [each.port for each in listening("TCP[HOST_FORWARD] 11 127.0.0.1 39373 10.0.2.15 22 0 0")]
    [39373]
    """
    for protocol, host, port, guest in _RULE.findall(text):
        yield MachineForward(protocol=protocol.lower(), host=host, port=int(port), guest=int(guest))


def snapshots(ask: Ask) -> tuple[MachineSnapshot, ...]:
    """Return the snapshots that hold the state of the whole machine."""
    found = {
        each["name"]: MachineSnapshot(
            name=each["name"],
            size=Size(each["vm-state-size"]),
            taken=each["date-sec"] + each["date-nsec"] / 1e9,
        )
        for block in ask("query-block", {})
        for each in block.get("inserted", {}).get("image", {}).get("snapshots", ())
        if each["vm-state-size"]
    }
    return tuple(found.values())


def snapshot(ask: Ask, verb: str, name: str) -> None:
    """Do ``savevm``, ``loadvm`` or ``delvm``; raise Unsupported where no medium can hold snapshots."""
    said = human(ask, f"{verb} {name}").strip().removeprefix("Error: ")
    if not said:
        return
    if "does not support snapshots" in said or "no block device" in said or "is writable but" in said:
        raise Unsupported(
            f"snapshots need a qcow2 disk, and no other that is written to: {said}",
            hint="give the device disk: {format: qcow2}",
        )
    raise LabError(f"QEMU refuses {verb!r}: {said}")


def human(ask: Ask, line: str) -> str:
    """Run a line of the human monitor, for what QMP has no command."""
    return str(ask("human-monitor-command", {"command-line": line}))


def press(ask: Ask, keys: tuple[str, ...], hold: float) -> None:
    """Press keys together for `hold` seconds; raise RecipeFault for a name that QEMU does not know."""
    wanted = [{"type": "qcode", "data": key} for key in keys]
    try:
        ask("send-key", {"keys": wanted, "hold-time": round(hold * 1000)})
    except LabError as error:
        if "does not accept value" not in error.message:
            raise
        raise RecipeFault(
            f"QEMU knows no key of {'+'.join(keys)!r}: {error.evidence.get('said', error.message)}",
            hint="letters, digits, ret, esc, tab, f1 …, ctrl, alt, shift: QKeyCode in QEMU's QMP reference",
        ) from error
