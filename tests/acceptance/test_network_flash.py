"""The recipe that writes a board's disk over its network, played once as a person plays it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support.command import runner
from support.peers import ROOT, UBOOT
from support.reports import Report

LAB = f"""
benches:
  qemu-flash:
    devices:
      board: {{driver: qemu, bios: {UBOOT}, memory: 512MiB, disk: {{path: disk, capacity: 1MiB}}}}
      tftp: {{driver: tftp_server, bind: ADDRESS}}
      http: {{driver: http_server, bind: 127.0.0.1, advertise: 10.0.2.2}}
"""


@pytest.mark.peer("guest", "port 69")
def test_the_image_is_on_the_disk_in_the_end(tmp_path: Path) -> None:
    address = f"127.69.{random.randrange(256)}.{random.randrange(1, 255)}"
    (tmp_path / "lab.yaml").write_text(LAB.replace("ADDRESS", address), encoding="utf-8")
    recipe = str(ROOT / "recipes" / "flash_qemu_network.yaml")
    done = runner(tmp_path, "play", "-i", "lab.yaml", recipe)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert list(Report(tmp_path / "results" / "latest").outcomes.values()) == ["passed"]
    image = (ROOT / "recipes" / "images" / "nightly.img").read_bytes()
    assert (tmp_path / "disk").read_bytes()[: len(image)] == image
    phases = [line.partition("phase: ")[2] for line in done.stdout.splitlines() if "phase: " in line]
    assert phases == [
        *("read the bundle", "read the image", "serve by HTTP", "enter U-Boot", "DHCP in U-Boot"),
        *("serve by TFTP", "load the kernel", "load the initram", "boot", "log in", "network of the Linux"),
        *("find the target", "preflash commands", "write", "read back"),
    ]


@pytest.mark.peer("guest", "port 69")
def test_a_board_is_brought_to_the_shell_and_nothing_is_written(tmp_path: Path) -> None:
    address = f"127.69.{random.randrange(256)}.{random.randrange(1, 255)}"
    (tmp_path / "lab.yaml").write_text(LAB.replace("ADDRESS", address), encoding="utf-8")
    recipes, guest = ROOT / "recipes", ROOT / ".cache" / "guest"
    (tmp_path / "shell.yaml").write_text(
        f"""
steps:
  - flasher_shell:
      bundle: {recipes}/bundles/qemu_arm64.yaml
      kernel: {guest}/Image
      initramfs: {guest}/initrd.gz
      off_time: 100ms
    expect: result.address == '10.0.2.15'
  - console_cmd: "ip -4 addr show eth0"
    expect: "'10.0.2.15' in result.output"
teardown:
  - power_off:
""",
        encoding="utf-8",
    )
    done = runner(tmp_path, "play", "-i", "lab.yaml", "shell.yaml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set((tmp_path / "disk").read_bytes()) == {0}
    assert "phase: find the target" not in done.stdout
