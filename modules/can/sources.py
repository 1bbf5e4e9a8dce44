"""What the verbs that send have in common: a frame, several, or a message of a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Misfit
from runner.api.frames import frame_misfit
from runner.modules.can.frame import FIELDS, frame_of, made

_WAYS = ("id", "frames", "message")


def ways_of(given: Mapping[str, Any]) -> list[str]:
    """Return which of the three are given."""
    return [name for name in _WAYS if given.get(name) is not None and given[name] not in ([], "")]


def source_misfits(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Say what excludes each other of ``id``, ``frames`` and ``message``, and why a frame cannot be."""
    if any(name not in given for name in _WAYS):
        return
    ways = ways_of(given)
    if not ways:
        yield Misfit("", "nothing to send", "write id: and data:, frames:, or message:")
    elif len(ways) > 1:
        yield Misfit(ways[1], f"{ways[1]} stands beside {ways[0]}", "a step sends one or the other")
    if given.get("signals") and "message" not in ways:
        yield Misfit("signals", "signals belong to a message", "write message:")
    for name in FIELDS[1:]:
        if given.get(name) and ways and "id" not in ways:
            yield Misfit(name, f"{name} belongs to id, not to {ways[0]}")
    if ways == ["id"] and all(name in given for name in FIELDS):
        misfit = frame_misfit(made(given))
        if misfit is not None:
            yield misfit


def device_misfits(given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]) -> Iterable[Misfit]:
    """Say what a bus cannot send, by the options of its driver."""
    options = devices.get("bus", {})
    if options.get("fd") is False:
        hint = "give the device the option fd: true"
        if given.get("fd") and given.get("id") is not None:
            yield Misfit("fd", "the bus is no CAN FD bus", hint)
        for index, each in enumerate(given.get("frames", ())):
            if frame_of(each).fd:
                yield Misfit(f"frames.{index}.fd", "the bus is no CAN FD bus", hint)
    if options.get("listen_only"):
        yield Misfit("", "the bus only listens", "its device has the option listen_only: true")
    databases = (given.get("database", "unknown"), options.get("database", "unknown"))
    if given.get("message") and not any(databases):
        hint = "give the step or the device the option 'database'"
        yield Misfit("message", "there is no database for this bus", hint)
