"""Options of virtual machines, on real QEMU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.context import StepContext
from support.lab_vm import modprobe
from support.machines import READY, line, machine, typist
from support.peers import UBOOT

from runner.api import Duration, LabError, Secret, Size, Unsupported
from runner.console import Console
from runner.modules.machine import kvm
from runner.modules.machine.options import CloudInit, Disk, Screen
from runner.modules.machine.qemu import Qemu
from runner.modules.machine.vm_screendump import VmScreendump

pytestmark = [pytest.mark.peer("qemu"), pytest.mark.peer("qemu pc")]
LIMIT = Duration("60s")


def uboot(machine: Qemu, *commands: str) -> list[str]:
    """Start a machine with U-Boot and return what these commands print."""
    console: Console = machine.console()
    console.start(lambda _chunk: None, "board.console")
    try:
        console.power_mark()
        machine.start()
        console.enter_uboot(StepContext(), within=LIMIT)
        return [console.run_uboot(each, StepContext(), timeout=LIMIT).output for each in commands]
    finally:
        console.stop()


def test_a_guest_reads_what_cloud_init_is_to_tell_it() -> None:
    told = CloudInit(
        hostname="dut", user="tester", password=Secret("swordfish"), ssh_keys=["ssh-ed25519 AAAA x"]
    )
    board = Qemu(bios=str(UBOOT), cloud_init=told, start_limit=LIMIT)
    board.open()
    try:
        listed, meta, user = uboot(
            board,
            "fatls virtio 0:1",
            "fatload virtio 0:1 40200000 meta-data; md.b 40200000 ${filesize}",
            "fatload virtio 0:1 40200000 user-data; md.b 40200000 ${filesize}",
        )
    finally:
        board.close()

    assert "user-data" in listed
    assert json.loads(dumped(meta))["local-hostname"] == "dut"
    head, _, rest = dumped(user).partition("\n")
    assert head == "#cloud-config"
    assert json.loads(rest) == {
        "ssh_pwauth": True,
        "users": [
            {
                "name": "tester",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "shell": "/bin/bash",
                "lock_passwd": False,
                "ssh_authorized_keys": ["ssh-ed25519 AAAA x"],
                "plain_text_passwd": "swordfish",
            }
        ],
    }


def dumped(text: str) -> str:
    """Return the bytes that `md.b` has printed."""
    lines = [each.partition(": ")[2][:48] for each in text.splitlines() if each[8:10] == ": "]
    return bytes.fromhex(" ".join(lines)).decode()


def test_what_is_written_to_a_disk_that_forgets_is_gone_with_the_power() -> None:
    board = Qemu(bios=str(UBOOT), disk=Disk(capacity=Size("1MiB"), discard=True), start_limit=LIMIT)
    board.open()
    try:
        read = "virtio read 40300000 3 1; md.b 40300000 1"
        assert "5a" in uboot(board, f"mw.b 40200000 5a 200; virtio write 40200000 3 1; {read}")[0]
        board.stop()
        assert "40300000: 00" in uboot(board, read)[0]
        assert board.storage().read(3 * 512, 1) == b"\0"
    finally:
        board.close()


@pytest.mark.parametrize(("arch", "cpu"), [("x86_64", "qemu64"), ("aarch64", "cortex-a57")])
def test_the_trial_of_kvm_is_passed_by_a_machine_that_works(arch: str, cpu: str) -> None:
    assert kvm.trial(f"qemu-system-{arch}", arch, "tcg", cpu, 60.0) == ""


def test_the_trial_of_kvm_is_failed_by_a_machine_that_hangs_or_does_not_start(tmp_path: Path) -> None:
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    hangs.chmod(0o755)

    assert "has not within 0.2s" in kvm.trial(str(hangs), "x86_64", "kvm", "host", 0.2)
    assert "ends with status 1: " in kvm.trial("qemu-system-x86_64", "x86_64", "nothing", "host", 60.0)
    assert "the machine riscv64" in kvm.refusal("qemu-system-riscv64", "riscv64", "", 1.0)


def test_kvm_is_used_only_where_it_is_proven(tmp_path: Path) -> None:
    guest = typist(tmp_path)
    with machine(accelerator="auto", arguments=guest) as pc, line(pc) as serial:
        pc.start()
        serial.wait_for(READY)
        used = pc.info().accelerator
    with machine(accelerator="kvm", arguments=guest) as pc:
        if used == "kvm":
            pc.start()
        else:
            with pytest.raises(Unsupported, match="KVM does not run this machine"):
                pc.start()


def test_a_machine_gets_vsock_only_from_a_host_that_has_it() -> None:
    with machine(vsock=4242) as pc:
        if Path("/dev/vhost-vsock").exists():
            pc.start()
            assert pc.info().vsock == 4242
        else:
            with pytest.raises(Unsupported, match="vsock needs /dev/vhost-vsock"):
                pc.start()


@pytest.mark.labvm
def test_a_machine_has_the_identifier_on_vsock_that_it_was_given_and_nobody_else_gets_it() -> None:
    modprobe("vhost_vsock")
    with machine(vsock=4242) as pc, machine(vsock=4242) as other:
        pc.start()
        assert pc.info().vsock == 4242
        with pytest.raises(LabError, match="guest cid.*Address already in use"):
            other.start()


def test_qemu_that_refuses_its_arguments_says_so() -> None:
    with machine(arguments=["-device", "no-such-card"]) as pc, pytest.raises(LabError, match="no-such-card"):
        pc.start()


def test_an_arm_board_has_a_screen_too() -> None:
    board = Qemu(bios=str(UBOOT), screen=Screen(), start_limit=LIMIT)
    board.open()
    try:
        board.start()
        assert Path(board.info().vnc).is_socket()
        assert VmScreendump(vm=board).run(StepContext()).width > 0
    finally:
        board.close()
