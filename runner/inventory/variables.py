"""What templates see of a bench."""

from __future__ import annotations

from runner.model import Bench


def bench_names(bench: Bench) -> dict[str, object]:
    """Return ``bench``: its name, index, host, labels, groups and the names of its devices."""
    return {
        "name": bench.name,
        "index": bench.index,
        "host": bench.host.name,
        "labels": dict(bench.labels),
        "groups": list(bench.groups),
        "devices": sorted(bench.devices),
    }
