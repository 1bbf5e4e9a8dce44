"""What was asked of a run, as its recording keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner import __version__
from runner.console import frame
from runner.engine.options import PlayOptions
from runner.events import plain
from runner.result import RunStarted

_KEPT = ("limit", "start_at", "check", "fail_fast", "repeat", "until_fail", "retries", "shuffle")
_LISTS = ("tags", "skip_tags", "names")
_FLAGS = ("strict_flaky", "fail_on_skip", "allow_empty")


def told(started: RunStarted, inventories: Sequence[str], options: PlayOptions) -> dict[str, Any]:
    """Return what a recording begins with, as what JSON can hold."""
    return {
        "run": started.run,
        "started": started.started,
        "version": started.version,
        "dialect": frame.dialect(),
        "recipes": list(started.recipes),
        "inventories": list(inventories),
        "extra": plain(options.extra),
        "only": sorted(options.only) if options.only is not None else None,
        "shard": options.shard,
        "untrusted": options.untrusted is not None,
        "options": {name: getattr(options, name) for name in (*_KEPT, *_LISTS, *_FLAGS)},
    }


def options_of(started: Mapping[str, Any], extra: Mapping[str, Any], limit: str) -> PlayOptions:
    """Return the options of a recorded run, with values of ``-e`` and ``--limit`` that are given now."""
    kept = dict(started["options"])
    lists = {name: tuple(kept.pop(name)) for name in _LISTS}
    only, shard = started["only"], started["shard"]
    return PlayOptions(
        **{**kept, **lists, "limit": limit or kept["limit"]},
        extra={**started["extra"], **extra},
        only=None if only is None else frozenset(only),
        shard=None if shard is None else (shard[0], shard[1]),
    )


def by_another_version(started: Mapping[str, Any]) -> str:
    """Return what to add where a replay leaves a recording of another runner; empty for one of this one."""
    before, dialect = started["version"], started.get("dialect", frame.dialect())
    now = "another build of it" if before == __version__ else __version__
    told = f"; it was recorded by runner {before}, and this is {now}"
    if dialect != frame.dialect():
        return f"{told}, which types commands differently: record the run again"
    return "" if before == __version__ else told
