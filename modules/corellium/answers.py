"""What Corellium's API answers, as our words; whatever it answers wrongly is an error of the lab."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.api import LabError, MachineConsole, MachineSnapshot, MachineState

_MILLISECONDS = 1e11
"""Above that a time since 1970 is in milliseconds: in seconds it would be the year 5138."""
_SHOWN = 20
STATES: Mapping[str, MachineState] = {
    "": "absent",
    "on": "running",
    "booting": "running",
    "rebooting": "running",
    "creating": "running",
    "restoring": "running",
    "paused": "paused",
    "off": "stopped",
    "deleting": "stopped",
    "error": "failed",
}
"""What the state of an instance means; what is on its way to run counts as running, nothing as absent."""


@dataclass(frozen=True)
class Instance:
    """A virtual device, as the API tells of it."""

    id: str
    name: str
    state: str
    changed: str
    """When that changed last."""
    error: str
    project: str
    model: str
    consoles: tuple[MachineConsole, ...]


@dataclass(frozen=True)
class Named:
    """A project or a model: what it is called in the API's requests, and for people."""

    id: str
    name: str


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of an instance."""

    id: str
    name: str
    taken: float
    whole: bool
    """Whether it has been made."""

    def told(self) -> MachineSnapshot:
        """Return it as every machine tells it; how large it is nobody says."""
        return MachineSnapshot(name=self.name, size=None, taken=self.taken)


def instance_of(found: object, where: str) -> Instance:
    """Read an instance."""
    its = _mapping(found, where)
    consoles = [_mapping(each, f"{where}, consoles") for each in its.get("consoles") or ()]
    return Instance(
        id=text_at(its, "id", where),
        name=str(its.get("name") or ""),
        state=text_at(its, "state", where),
        changed=str(its.get("stateChanged") or ""),
        error=str(its.get("error") or ""),
        project=str(its.get("project") or ""),
        model=str(its.get("model") or its.get("flavor") or ""),
        consoles=tuple(
            MachineConsole(name=str(each.get("name") or ""), id=text_at(each, "id", f"{where}, consoles"))
            for each in consoles
        ),
    )


def snapshot_of(found: object, where: str) -> Snapshot:
    """Read a snapshot."""
    its = _mapping(found, where)
    taken = float(its.get("date") or 0)
    return Snapshot(
        id=text_at(its, "id", where),
        name=text_at(its, "name", where),
        taken=taken / 1000 if taken > _MILLISECONDS else taken,
        whole=bool(_mapping(its.get("status") or {}, where).get("created")),
    )


def list_of(found: object, where: str) -> list[Mapping[str, Any]]:
    """Read a list of objects."""
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise LabError(f"{where} answers no list, but {type(found).__name__}")
    return [_mapping(each, where) for each in found]


def text_at(its: Mapping[str, Any], name: str, where: str) -> str:
    """Return a text that has to be there."""
    found = its.get(name)
    if not isinstance(found, str) or not found:
        raise LabError(f"{where} answers without {name!r}: there is {', '.join(map(repr, its)) or 'nothing'}")
    return found


def project_of(found: object, wanted: str, where: str) -> Named:
    """Find a project by its name or its id."""
    all_ = list_of(found, where)
    matching = [each for each in all_ if wanted in (each.get("id"), each.get("name"))]
    if not matching:
        raise _unknown("project", wanted, (str(each.get("name")) for each in all_), where)
    return Named(id=text_at(matching[0], "id", where), name=str(matching[0].get("name") or wanted))


def model_of(found: object, wanted: str, where: str) -> Named:
    """Find a model by its `model`, or by its `flavor`, which is what a request calls it."""
    all_ = list_of(found, where)
    for key in ("model", "flavor"):
        for each in all_:
            if each.get(key) == wanted:
                return Named(id=text_at(each, "flavor", where), name=str(each.get("model") or wanted))
    known = dict.fromkeys(str(each.get("model") or each.get("flavor")) for each in all_)
    flavors = [str(each.get("flavor")) for each in all_]
    raise _unknown("model", wanted, known, where, also=flavors)


def own_instance(found: object, wanted: str, project: Named, where: str) -> Instance | None:
    """Find our instance in a project, by its id or its name; None when there is none."""
    ours = [each for each in list_of(found, where) if each.get("project") in (None, project.id)]
    by_id = [each for each in ours if each.get("id") == wanted]
    matching = by_id or [each for each in ours if each.get("name") == wanted]
    if len(matching) > 1:
        raise LabError(
            f"{len(matching)} instances of project {project.name!r} are called {wanted!r}",
            evidence={"ids": [each.get("id") for each in matching]},
            hint=f"write the id as 'name': {', '.join(str(each.get('id')) for each in matching)}",
        )
    return instance_of(matching[0], where) if matching else None


def console_of(instance: Instance, wanted: str) -> MachineConsole:
    """Find a console by its name or its id; empty: the only one, without an id where none is told."""
    consoles = instance.consoles
    if not wanted and len(consoles) <= 1:
        return consoles[0] if consoles else MachineConsole(name="", id="")
    for each in consoles:
        if wanted and wanted in (each.name, each.id):
            return each
    names = [each.name for each in consoles]
    if not wanted:
        raise LabError(
            f"instance {instance.name!r} has {len(names)} consoles, and none is named",
            hint=f"name it with 'console_name': {', '.join(map(repr, names))}",
        )
    raise _unknown("console", wanted, names, f"instance {instance.name!r}")


def _unknown(kind: str, wanted: str, names: Iterable[str], where: str, also: Sequence[str] = ()) -> LabError:
    there = list(names)
    near = difflib.get_close_matches(wanted, [*there, *also], 1)
    shown = ", ".join(map(repr, there[:_SHOWN])) or "none"
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return LabError(
        f"no {kind} {wanted!r} at {where}: there is {shown}{more}",
        evidence={f"{kind}s": there},
        hint=f"did you mean {near[0]!r}?" if near else "",
    )


def _mapping(found: object, where: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise LabError(f"{where} answers no object, but {type(found).__name__}")
    return found
