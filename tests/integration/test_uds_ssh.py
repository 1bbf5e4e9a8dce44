"""Diagnosis on a bench of another machine: can-isotp and udsoncan travel there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.command import runner
from support.peers import ROOT
from support.reports import Report
from support.ssh_lab import inventory
from support.ssh_server import ssh_server


@pytest.mark.peer("sshd")
def test_the_diagnostic_recipe_passes_unchanged_on_a_host_without_its_libraries(tmp_path: Path) -> None:
    bench = yaml.safe_load((ROOT / "inventory" / "ecu.yaml").read_text(encoding="utf-8"))["benches"][
        "ecu-sim"
    ]
    with ssh_server(tmp_path / "shelf1") as server:
        lab = inventory(tmp_path, {"shelf1": server.options()}, {"ecu-sim": {"host": "shelf1", **bench}})
        done = runner(tmp_path, "play", str(ROOT / "recipes" / "uds_diagnostics.yaml"), "-i", lab)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "bench ecu-sim on shelf1" in done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
