"""A run on the U-Boot of QEMU is recorded and judged again."""

from pathlib import Path

import pytest
from support.command import runner
from support.peers import UBOOT

pytestmark = pytest.mark.peer("qemu")
RECIPE = """
tests:
  - test: the architecture
    steps:
      - uboot_enter: {within: 60s}
      - uboot_cmd: version
      - console_send: "printenv arch\\n"
      - expect_console: {pattern: 'arch=amr', within: 2s}
"""


def test_a31_a_failed_run_fails_again_bit_by_bit_and_passes_with_a_corrected_pattern(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "corrected.yaml").write_text(RECIPE.replace("amr", "arm"), encoding="utf-8")
    lab = f"benches: {{q: {{devices: {{board: {{driver: qemu, bios: {UBOOT}}}}}}}}}\n"
    (tmp_path / "lab.yaml").write_text(lab, encoding="utf-8")
    first = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    made = tmp_path / "results" / "replays" / (tmp_path / "results" / "latest").resolve().name
    again = []
    for _ in range(2):
        assert runner(tmp_path, "replay").returncode == 1
        names = ("events.jsonl", "results.json", "junit.xml", "console/q.board.console.raw")
        again.append([(made / name).read_bytes() for name in names])
    corrected = runner(tmp_path, "replay", "latest", "corrected.yaml")

    assert first.returncode == 1, first.stdout + first.stderr
    assert again[0] == again[1]
    assert corrected.returncode == 0, corrected.stdout
