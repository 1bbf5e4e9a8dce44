"""Throughput, as a person measures it: through a forward, with limits, in the report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.command import runner
from support.iperf3 import iperf3_server

RECIPE = """\
name: The network is fast
tests:
  - test: through a forward
    steps:
      - port_forward: 127.0.0.1:{port}
        register: perf
      - net_throughput: {{host: "{{{{ perf.host }}}}", port: "{{{{ perf.port }}}}", duration: 1s}}
        measure:
          rate: {{value: result.upload.bits_per_second / 1e6, unit: Mbit/s, min: 0.000001}}
          dream: {{value: result.bits_per_second / 1e6, unit: Mbit/s, min: 1e9}}
"""


@pytest.mark.peer("iperf3")
def test_throughput_through_a_forward_is_a_measurement_with_limits(tmp_path: Path) -> None:
    with iperf3_server() as server:
        (tmp_path / "r.yaml").write_text(RECIPE.format(port=server.port), encoding="utf-8")
        done = runner(tmp_path, "play", "r.yaml")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "upload: " in done.stdout
    junit = (tmp_path / "results/latest/junit.xml").read_text(encoding="utf-8")
    assert re.search(r"measure rate: \S+ Mbit/s \[pass\]", junit)
    assert re.search(r'<failure type="assertion" message="dream is \S+ Mbit/s, below its minimum', junit)


def test_a_time_that_does_not_fit_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "steps:\n  - net_throughput: {host: a, duration: 90s}\n", encoding="utf-8"
    )
    done = runner(tmp_path, "check", "r.yaml")

    assert done.returncode == 2
    assert "r.yaml:2:" in done.stderr + done.stdout
    assert "sending for 1m30s does not end within 1m" in done.stderr + done.stdout
