"""What is known of one code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What ``runner doc CODE`` shows. `wrong` and `right` are YAML or a command line; both may be empty."""

    title: str
    explanation: str
    wrong: str = ""
    right: str = ""
