"""The keys of an inventory, and what people coming from other tools write instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INVENTORY = ("hosts", "benches", "groups", "vars")
BENCH = (
    "host",
    "labels",
    "vars",
    "devices",
    "recover",
    "on_acquire",
    "on_release",
    "max_hold",
    "enabled",
)
GROUP = ("benches", "groups", "vars")
ENABLED = ("reason", "by")

RESERVED = ("bench", "benches", "run", "artifacts", "result")
"""Names that every expression has; a variable cannot take them."""

FOREIGN: Mapping[str, str] = MappingProxyType(
    {
        "all": "write 'benches:' and 'groups:' at the top of the file",
        "boards": "did you mean 'benches'?",
        "targets": "did you mean 'benches'?",
        "children": "did you mean 'groups'?",
        "tags": "did you mean 'labels'?",
        "resources": "did you mean 'devices'?",
        "drivers": "did you mean 'devices'?",
        "exports": "did you mean 'devices'?",
        "disabled": "did you mean 'enabled'?  (enabled: {reason: …})",
        "ansible_host": "did you mean 'address'?  (an option of a host)",
        "ansible_user": "did you mean 'user'?  (an option of a host)",
        "ansible_port": "did you mean 'port'?  (an option of a host)",
        "_meta": "a program prints hosts, benches, groups and vars as a file has them",
    }
)
