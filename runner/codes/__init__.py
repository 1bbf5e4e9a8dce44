"""The codes of errors in recipes, inventories and command lines: what each means, wrong and right.

``E1xx`` YAML, ``E2xx`` structure and arguments, ``E3xx`` names and expressions, ``E4xx``
inventory, ``E5xx`` command line, ``E6xx`` ``--untrusted``. A code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runner.codes.code import Code
from runner.codes.command_line import COMMAND_LINE
from runner.codes.expressions import EXPRESSIONS
from runner.codes.inventory import INVENTORY
from runner.codes.recipe import RECIPE
from runner.codes.untrusted import UNTRUSTED
from runner.codes.yaml import YAML

CODES: Mapping[str, Code] = MappingProxyType(
    {**YAML, **RECIPE, **EXPRESSIONS, **INVENTORY, **COMMAND_LINE, **UNTRUSTED}
)


def page(code: str) -> str:
    """Return what ``runner doc CODE`` prints; raise KeyError for an unknown code."""
    entry = CODES[code]
    parts = [f"{code}: {entry.title}", entry.explanation]
    if entry.wrong:
        parts.append(f"Wrong:\n\n{_indented(entry.wrong)}")
    if entry.right:
        parts.append(f"Right:\n\n{_indented(entry.right)}")
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
