"""The how-to about lab machines says of every option of a host what it means."""

import re
from pathlib import Path

from runner.inventory.hosts import OPTIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-lab-machines.md"


def test_every_option_of_a_host_is_in_the_table() -> None:
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert {name for line in table for name in re.findall(r"`(\w+)`", line.split("|")[1])} == set(OPTIONS)
