"""The diagnostic flow against a control unit that others have written: gallia's."""

from __future__ import annotations

import shutil
from pathlib import Path

from support import gallia_ecu, hex_lines
from support.command import runner
from support.gallia_ecu import control_unit


def test_the_diagnostic_flow_passes_against_the_control_unit_of_others(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    shutil.copy(hex_lines.__file__, tmp_path / "modules")
    path = tmp_path / "ecu"
    (tmp_path / "lab.yaml").write_text(
        f"benches:\n  peer:\n    devices:\n      lines: {{driver: hex_lines, path: {path}}}\n{gallia_ecu.DEVICE}"
    )
    (tmp_path / "flow.yaml").write_text(gallia_ecu.FLOW)

    with control_unit(f"unix-lines://{path}", tmp_path, path.exists):
        done = runner(tmp_path, "play", "-i", "lab.yaml", "flow.yaml")

    assert done.returncode == 0, done.stdout + done.stderr
