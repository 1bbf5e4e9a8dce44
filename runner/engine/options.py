"""What the command line asks of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.agent.calls import Question
from runner.api.values import Duration
from runner.engine.cancel import Cancellation
from runner.loader.fence import Fence
from runner.model import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """Which cases are played, on which benches, and how often.

    `extra`: values of ``-e``, by name. `shard`: (i, n), i counts from 1. `shuffle`: the
    seed. `only`: ids of the cases to play (``--rerun-failed``). `ask`: called before each
    step with ``--step``; False skips it. `untrusted`: what the recipes may read when they
    are not trusted, None when they are. `person`: asks whoever is at the terminal, None for nobody.
    """

    extra: Mapping[str, Any] = field(default_factory=dict)
    limit: str = ""
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    start_at: str = ""
    check: bool = False
    fail_fast: bool = False
    repeat: int = 1
    until_fail: bool = False
    retries: int = 0
    only: frozenset[str] | None = None
    shard: tuple[int, int] | None = None
    shuffle: int | None = None
    wait: Duration | None = None
    parallel: int | None = None
    strict_flaky: bool = False
    fail_on_skip: bool = False
    allow_empty: bool = False
    run: str = ""
    folder: str = ""
    ask: Callable[[str, Step], bool] | None = None
    person: Callable[[Question, Cancellation], str] | None = None
    untrusted: Fence | None = None
