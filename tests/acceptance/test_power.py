"""Power as a person meets it: what --check says before, and what is said afterwards."""

from __future__ import annotations

import json
from pathlib import Path

from support.command import runner

LAB = """
benches:
  desk:
    devices:
      power: {driver: mock, record: desk.calls}
      console: {driver: serial, port: nowhere}
  blind:
    devices: {power: {driver: mock, record: blind.calls, readable: false}}
  gone:
    devices: {power: {driver: mock, fails: [open]}}
"""
CHECKED = """
benches: all
tests:
  - test: "on"
    steps:
      - power_on:
  - test: "off"
    steps:
      - power_off:
"""


def calls(folder: Path, bench: str) -> list[str]:
    """Return what a pretended supply was asked."""
    return (folder / f"{bench}.calls").read_text(encoding="utf-8").split()


def test_check_reads_switches_and_says_what_would_change(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(LAB, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(CHECKED, encoding="utf-8")

    done = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", "--check")

    for line in (
        "info desk: would switch on 'power' on bench 'desk': it is off\n",
        "info desk: 'power' on bench 'desk' is off already: nothing would change\n",
        "info blind: would switch off 'power' on bench 'blind': its state cannot be read\n",
        "the pretended supply does not answer, as it was told\n",
    ):
        assert line in done.stdout
    assert done.returncode == 3
    assert calls(tmp_path, "desk") == ["open", "state", "state", "close"]
    assert set(calls(tmp_path, "blind")) == {"open", "state", "close"}
    result = json.loads((tmp_path / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    assert {case["bench"]: case["outcome"] for case in result["cases"]} == {
        "desk": "passed",
        "blind": "passed",
        "gone": "error",
    }
