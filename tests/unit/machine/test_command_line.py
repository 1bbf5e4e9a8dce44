from __future__ import annotations

from dataclasses import replace

import pytest

from runner.api import Size
from runner.modules.machine.command_line import Files, Setup, command_line
from runner.modules.machine.options import Disk, Forward, Network, Screen

PLAIN = Setup(
    binary="",
    arch="aarch64",
    machine="virt",
    cpu="",
    cpus=1,
    memory=Size("256MiB"),
    files=Files(),
    network=None,
    disk=None,
    disk_path="",
    arguments=(),
)


def line(setup: Setup) -> str:
    return " ".join(command_line(setup, monitor=7, serial=8))


def test_a_plain_machine_is_emulated_and_waits_for_cont() -> None:
    assert line(PLAIN) == (
        "qemu-system-aarch64 -nodefaults -display none -accel tcg -S -machine virt -cpu cortex-a57"
        " -smp 1 -m 256M -chardev socket,id=monitor,fd=7,server=on,wait=off -mon chardev=monitor,mode=control"
        " -chardev socket,id=serial,fd=8,server=on,wait=off -serial chardev:serial -nic none"
    )


def test_another_machine_keeps_its_own_processor() -> None:
    assert "-cpu" not in line(replace(PLAIN, arch="x86_64", machine="pc"))


def test_a_chosen_processor_wins() -> None:
    assert "-cpu max" in line(replace(PLAIN, cpu="max"))


def test_the_options_of_a_machine_do_not_hide_its_name() -> None:
    assert "-cpu cortex-a57" in line(replace(PLAIN, machine="virt,virtualization=on"))


def test_a_program_of_ones_own_is_started() -> None:
    assert line(replace(PLAIN, binary="/opt/qemu")).startswith("/opt/qemu ")


def test_the_files_that_are_there_are_given() -> None:
    files = Files(kernel="Image", initrd="initrd", append="console=ttyAMA0 quiet")

    given = command_line(replace(PLAIN, files=files), monitor=7, serial=8)

    assert given[given.index("-kernel") :][:6] == [
        "-kernel",
        "Image",
        "-initrd",
        "initrd",
        "-append",
        "console=ttyAMA0 quiet",
    ]


def test_the_user_network_forwards_ports_and_serves_a_folder() -> None:
    network = Network(
        forwards={"ssh": Forward(host=2222, guest=22), "dns": Forward(host=5353, guest=53, protocol="udp")},
        tftp="/srv/a,b",
        bootfile="Image",
        model="e1000",
    )

    assert line(replace(PLAIN, network=network)).endswith(
        "-nic user,model=e1000,tftp=/srv/a,,b,bootfile=Image,"
        "hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp:127.0.0.1:5353-:53"
    )


@pytest.mark.parametrize(
    ("attach", "given"),
    [
        ("virtio", "-drive if=virtio,file=disk,,img,format=raw"),
        ("sd", "-drive if=sd,file=disk,,img,format=raw"),
        ("nvme", "-drive if=none,id=disk,file=disk,,img,format=raw -device nvme,drive=disk,serial=disk"),
        (
            "scsi",
            (
                "-drive if=none,id=disk,file=disk,,img,format=raw"
                " -device virtio-scsi-pci -device scsi-hd,drive=disk"
            ),
        ),
        (
            "usb",
            (
                "-drive if=none,id=disk,file=disk,,img,format=raw"
                " -device usb-ehci -device usb-storage,drive=disk"
            ),
        ),
    ],
)
def test_a_disk_is_attached_as_it_is_wanted(attach: str, given: str) -> None:
    disk = Disk(attach=attach)  # type: ignore[arg-type]

    assert line(replace(PLAIN, disk=disk, disk_path="disk,img")).endswith(given)


def test_more_arguments_stand_at_the_end() -> None:
    assert line(replace(PLAIN, arguments=("-device", "virtio-rng-pci"))).endswith(" -device virtio-rng-pci")


@pytest.mark.parametrize(
    ("setup", "given"),
    [
        (replace(PLAIN, vsock=42), "-device vhost-vsock-pci,guest-cid=42"),
        (
            replace(PLAIN, seed="/a,b"),
            (
                "-blockdev driver=vvfat,node-name=cidata,read-only=on,dir=/a,,b,label=CIDATA"
                " -device virtio-blk-pci,drive=cidata"
            ),
        ),
        (
            replace(PLAIN, screen=Screen(), vnc="/run/vnc"),
            "-device virtio-gpu-pci -device qemu-xhci -device usb-kbd -vnc unix:/run/vnc",
        ),
        (replace(PLAIN, arch="x86_64", machine="q35", screen=Screen()), "-device VGA"),
        (
            replace(PLAIN, disk=Disk(format="qcow2", discard=True), disk_path="d"),
            "-drive if=virtio,file=d,format=qcow2,snapshot=on",
        ),
    ],
)
def test_what_is_asked_for_is_at_the_end(setup: Setup, given: str) -> None:
    assert line(setup).endswith(" " + given)


def test_a_processor_run_by_kvm_is_the_hosts_own() -> None:
    assert "-accel kvm" in line(replace(PLAIN, accelerator="kvm"))
    assert "-cpu host" in line(replace(PLAIN, accelerator="kvm"))
