"""What an instrument needs of the machine that it is plugged into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Needs:
    """Said by a driver before anything is opened; `runner doctor` looks for it, a host's policy judges it.

    `nodes`: every file, device file and URL that it opens, as its options name them.
    `programs` and `libraries`: names of programs, and of libraries that cannot travel because they
    are compiled: Python modules or, with ``.so`` in the name, others. Debian's package for each.
    """

    nodes: tuple[str, ...] = ()
    programs: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
