"""The CAN driver and a control unit in two processes, in a network of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "support"
GROUP = "239.74.163.2"
SCRIPT = """
set -e
ip link set lo up
ip link set lo multicast on
ip route add 239.0.0.0/8 dev lo
mkfifo "$1/keep" "$1/ready"
"$2" "$3/can_control_unit.py" "$4" < "$1/keep" > "$1/ready" &
exec 9> "$1/keep"
read line < "$1/ready"
"$2" "$3/can_client.py" "$4"
exec 9>&-
wait
"""


@pytest.mark.peer("netns")
def test_frames_travel_between_processes_by_udp_multicast(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", SCRIPT, "sh", tmp_path, sys.executable, SUPPORT, GROUP],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(SUPPORT.parent)},
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["answers"] == [[0x456, bytes([value + 0x40, 2]).hex(), True] for value in range(50)]
    assert found["info"]["received"] == 50
    assert found["info"]["sent"] == 50
