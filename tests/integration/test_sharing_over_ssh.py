"""Looking at, reserving and taking away a bench that is on a real OpenSSH server."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.command import runner, started, wait_until
from support.ssh_lab import inventory
from support.ssh_server import ssh_server

pytestmark = pytest.mark.peer("sshd")
ANA, BEN = {"RUNNER_WHO": "ana@desk"}, {"RUNNER_WHO": "ben@desk"}


def test_a_bench_of_another_machine_is_looked_at_reserved_and_taken_away(tmp_path: Path) -> None:
    power = {"driver": "command", "turn_on": "true", "turn_off": "true"}
    far = {"host": "shelf1", "devices": {"power": power}}
    (tmp_path / "long.yaml").write_text(
        f"steps:\n  - command: [sh, -c, 'touch {tmp_path}/on; exec sleep 100']\n", encoding="utf-8"
    )
    (tmp_path / "quick.yaml").write_text("steps:\n  - power_on:\n", encoding="utf-8")
    with ssh_server(tmp_path / "shelf1") as server:
        hosts = {"shelf1": server.options(), "gone": server.options(port=1)}
        lab = inventory(tmp_path, hosts, {"far": far, "lost": {**far, "host": "gone"}})

        def benches() -> dict[str, dict[str, Any]]:
            done = runner(tmp_path, "benches", "-i", lab, "-o", "json")
            assert done.returncode == 0, done.stderr
            return {each["bench"]: each for each in json.loads(done.stdout)}

        holder = started(tmp_path, "play", "long.yaml", "-l", "far", "-i", lab)
        wait_until((tmp_path / "on").exists, "it holds the bench", 60)
        held = benches()
        refused = runner(tmp_path, "reserve", "far", "--for", "1h", "-i", lab, **BEN)
        thrown = runner(tmp_path, "release", "far", "--force", "-i", lab, **BEN)
        out, _ = holder.communicate(timeout=60)
        reserved = runner(tmp_path, "reserve", "far", "--for", "1h", "-o", "json", "-i", lab, **BEN)
        row = benches()["far"]
        other = runner(tmp_path, "play", "quick.yaml", "-l", "far", "-i", lab, **ANA)
        own = runner(tmp_path, "play", "quick.yaml", "-l", "far", "-i", lab, **BEN)

    assert (held["far"]["state"], held["lost"]["state"]) == ("held", "unreachable")
    assert "refused" in held["lost"]["reason"]
    assert refused.returncode == 4
    assert f"bench far is held by {held['far']['run']} (" in refused.stderr
    assert thrown.returncode == 0, thrown.stderr
    assert holder.returncode == 3
    assert "bench far was taken away by ben@desk (runner release --force)" in out
    (answer,) = json.loads(reserved.stdout)
    assert (answer["owner"], row["state"], row["until"]) == ("ben@desk", "reserved", answer["until"])
    assert (other.returncode, own.returncode) == (4, 0), other.stdout + own.stdout
