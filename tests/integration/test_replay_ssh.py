"""A run on a host that is reached over SSH is recorded, and judged again without it."""

from pathlib import Path

import pytest
from support.command import runner
from support.ssh_lab import inventory
from support.ssh_server import ssh_server

pytestmark = pytest.mark.peer("sshd")
BOARD = {"driver": "sim", "system": {"boot_time": "100ms"}, "firmware": {"bootdelay": 0}}
RECIPE = """
timeout: {step: 60s}
steps:
  - power_on:
  - console_login: {user: root}
  - console_cmd: uname -a
    expect: result.status == 0
  - command: echo said on the host
    expect: "'host' in result.stdout"
  - console_send: "uname -a\\n"
  - expect_console: {pattern: 'Lunix', within: 2s}
"""


def test_a31_a_run_over_ssh_fails_again_twice_bit_by_bit_without_the_host_and_passes_corrected(
    tmp_path: Path,
) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "corrected.yaml").write_text(RECIPE.replace("Lunix", "Linux"), encoding="utf-8")
    with ssh_server(tmp_path / "shelf1") as server:
        lab = inventory(
            tmp_path,
            {"shelf1": server.options()},
            {"far": {"host": "shelf1", "devices": {"board": BOARD}}},
        )
        first = runner(tmp_path, "play", "recipe.yaml", "-i", lab)
    made = tmp_path / "results" / "replays" / (tmp_path / "results" / "latest").resolve().name
    again = []
    for _ in range(2):
        done = runner(tmp_path, "replay")
        assert done.returncode == 1, done.stdout + done.stderr
        names = ("events.jsonl", "results.json", "junit.xml", "console/far.board.console.raw")
        again.append([done.stdout, *((made / name).read_bytes() for name in names)])
    corrected = runner(tmp_path, "replay", "latest", "corrected.yaml")

    assert first.returncode == 1, first.stdout + first.stderr
    assert "no 'Lunix' within 2s" in first.stdout
    assert again[0] == again[1]
    assert "no 'Lunix' within 2s" in again[0][0]
    assert corrected.returncode == 0, corrected.stdout + corrected.stderr
