"""The verbs for virtual machines, on real QEMU."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.context import StepContext
from support.machines import READY, Line, line, machine, obedient, typist

from runner.api import Duration, LabError, RecipeFault, Size, TargetPath, Unsupported
from runner.modules.machine.options import Disk, Forward, Network, Screen
from runner.modules.machine.qemu import Qemu
from runner.modules.machine.vm import Vm
from runner.modules.machine.vm_config import VmConfig
from runner.modules.machine.vm_info import VmInfo
from runner.modules.machine.vm_qmp import VmQmp
from runner.modules.machine.vm_screendump import VmScreendump
from runner.modules.machine.vm_send_key import VmSendKey
from runner.modules.machine.vm_snapshot import VmSnapshot

pytestmark = pytest.mark.peer("qemu pc")


@pytest.fixture
def pc() -> Iterator[Qemu]:
    """A machine with a screen; SeaBIOS finds nothing to boot and says so."""
    with machine(screen=Screen()) as made:
        yield made


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Qemu, Line]]:
    """A machine that runs, shows keys, and has a disk with room for snapshots; and its serial port."""
    arguments = [*typist(tmp_path_factory.mktemp("typist"))]
    network = Network(
        forwards={"ssh": Forward(guest=22), "web": Forward(guest=80), "other": Forward(guest=80)}
    )
    disk = Disk(format="qcow2", capacity=Size("16MiB"))
    with (
        machine(arguments=arguments, screen=Screen(vnc=False), disk=disk, network=network) as made,
        line(made) as serial,
    ):
        made.start()
        serial.wait_for(READY)
        yield made, serial


@pytest.fixture
def typing(typed: tuple[Qemu, Line]) -> Qemu:
    return typed[0]


def screen(pc: Qemu, rows: int = 25) -> str:
    """Return the VGA text memory, where no cursor blinks."""
    command = f"xp /{rows * 80}xh 0xb8000"
    return str(pc.monitor("human-monitor-command", {"command-line": command}))


def test_it_runs_pauses_goes_on_and_stops(pc: Qemu) -> None:
    def become(state: str, *, graceful: bool = True) -> tuple[str, str]:
        switched = Vm(state=state, vm=pc, graceful=graceful).run(StepContext())  # type: ignore[arg-type]
        return switched.previous, switched.state

    assert become("running") == ("stopped", "running")
    assert become("running") == ("running", "running")
    assert become("paused") == ("running", "paused")
    assert become("running") == ("paused", "running")
    pid = pc.pid
    assert become("reset") == ("running", "running")
    assert pc.pid == pid
    assert become("stopped", graceful=False) == ("running", "stopped")
    assert become("stopped") == ("stopped", "stopped")


def test_a_guest_that_does_not_shut_down_is_switched_off_and_that_is_told(pc: Qemu) -> None:
    context = StepContext()
    pc.start()

    switched = Vm(state="stopped", within=Duration("300ms"), vm=pc).run(context)

    assert (switched.shut_down, switched.state) == (False, "stopped")
    assert ("warning", "the guest has not ended within 300ms: it is switched off") in context.said


def test_a_guest_that_obeys_its_power_button_ends_by_itself(tmp_path: Path) -> None:
    with machine(arguments=obedient(tmp_path)) as pc, line(pc) as serial:
        pc.start()
        serial.wait_for(READY)

        switched = Vm(state="stopped", within=Duration("60s"), vm=pc).run(StepContext())

        assert (switched.shut_down, switched.state) == (True, "stopped")


def test_the_monitor_answers_and_refuses(typing: Qemu) -> None:
    answer = VmQmp(command="query-name", vm=typing).run(StepContext())
    assert answer.value == {}
    with pytest.raises(LabError, match="QEMU refuses 'eject': .*nothing-there"):
        VmQmp(command="eject", arguments={"device": "nothing-there"}, vm=typing).run(StepContext())


def test_the_info_tells_disks_and_the_free_ports_of_the_forwards(typing: Qemu) -> None:
    info = VmInfo(vm=typing).run(StepContext())

    assert (info.state, info.status, info.accelerator, info.cpus) == ("running", "running", "tcg", 1)
    assert (info.memory, info.pid, info.version[0].isdigit()) == (Size("32MiB"), typing.pid, True)
    assert [(each.format, each.size, each.writable) for each in info.disks] == [
        ("qcow2", Size("16MiB"), True),
        ("raw", Size("1MiB"), False),
    ]
    ports = {name: each.port for name, each in info.forwards.items()}
    assert list(ports) == ["ssh", "web", "other"]
    assert len(set(ports.values()) - {0}) == 3
    assert [each.guest for each in info.forwards.values()] == [22, 80, 80]


def test_a_machine_that_is_off_tells_what_it_will_be(pc: Qemu) -> None:
    info = VmInfo(vm=pc).run(StepContext())

    assert (info.state, info.status, info.pid, info.disks) == ("stopped", "off", None, ())


def test_the_picture_is_a_png_of_what_the_screen_shows(typing: Qemu) -> None:
    context = StepContext(vm="board")

    dumped = VmScreendump(vm=typing).run(context)

    data = context.artifacts["board.png"]
    assert struct.unpack(">II", data[16:24]) == (dumped.width, dumped.height)
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start])
    rows = zlib.decompress(data[start + 4 : start + 4 + length])
    assert len(rows) == dumped.height * (1 + 3 * dumped.width)
    assert dumped.colours > 1
    assert VmScreendump(to=TargetPath("out/x.png"), vm=typing).run(context).size == len(
        context.artifacts["out/x.png"]
    )


def test_a_machine_without_a_screen_says_so() -> None:
    with machine() as pc:
        pc.start()
        with pytest.raises(Unsupported, match="no screen"):
            VmScreendump(vm=pc).run(StepContext())


@pytest.mark.parametrize(
    ("keys", "text", "heard"),
    [
        (["a", "shift+b", "Enter"], "", b"aB\r"),
        ("Q", "", b"q"),
        ([], 'Hi, "Yo"', b'Hi, "Yo"'),
        ([], " ~1|_2\\?", b" ~1|_2\\?"),
    ],
)
def test_keys_and_texts_arrive_as_they_are_typed(
    typed: tuple[Qemu, Line], keys: str | list[str], text: str, heard: bytes
) -> None:
    """No more than the BIOS's buffer holds, which is 15 keys."""
    pc, serial = typed
    serial.heard = b""
    VmSendKey(keys=keys, text=text, vm=pc).run(StepContext())
    serial.wait_for(heard)

    assert serial.heard == heard


def test_a_key_that_there_is_not_is_the_fault_of_the_recipe(typing: Qemu) -> None:
    with pytest.raises(RecipeFault, match=r"no key of 'ctrl\+nokey'"):
        VmSendKey(keys="ctrl+nokey", vm=typing).run(StepContext())


def test_a_snapshot_brings_back_what_was(typed: tuple[Qemu, Line]) -> None:
    context, (typing, serial) = StepContext(), typed

    def snapshot(**what: str | bool) -> tuple[str, ...]:
        return VmSnapshot(vm=typing, **what).run(context).names  # type: ignore[arg-type]

    assert snapshot() == ()
    assert snapshot(save="first") == ("first",)
    before = screen(typing)
    VmSendKey(text="changed", vm=typing).run(context)
    serial.wait_for(b"changed")
    assert screen(typing) != before
    assert snapshot(load="first") == ("first",)
    assert screen(typing) == before
    with pytest.raises(RecipeFault, match="a snapshot 'first' already"):
        snapshot(save="first")
    assert snapshot(save="first", replace=True) == ("first",)
    with pytest.raises(LabError, match="no snapshot 'second'"):
        snapshot(load="second")
    assert snapshot(delete="first") == ()
    assert snapshot(delete="first") == ()


@pytest.mark.parametrize("disk", [None, Disk(capacity=Size("1MiB"))], ids=["no disk", "raw"])
def test_a_machine_without_a_qcow2_disk_cannot_be_saved(disk: Disk | None) -> None:
    with machine(disk=disk) as pc:
        pc.start()
        with pytest.raises(Unsupported, match="snapshots need a qcow2 disk"):
            VmSnapshot(save="it", vm=pc).run(StepContext())


@pytest.mark.parametrize("format_", ["raw", "qcow2"])
def test_memory_and_disk_are_changed_while_it_is_off(tmp_path: Path, format_: str) -> None:
    disk = Disk(path=str(tmp_path / "disk"), format=format_, capacity=Size("1MiB"))  # type: ignore[arg-type]
    with machine(disk=disk) as pc:
        changed = VmConfig(memory=Size("48MiB"), cpus=2, disk_size=Size("4MiB"), vm=pc).run(StepContext())
        assert (changed.memory, changed.cpus) == (Size("48MiB"), 2)
        with pytest.raises(LabError, match="cannot be made smaller, 2 MiB"):
            VmConfig(disk_size=Size("2MiB"), vm=pc).run(StepContext())
        with pytest.raises(LabError, match="no space for"):
            VmConfig(disk_size=Size("4000TiB"), vm=pc).run(StepContext())
        pc.start()

        info = pc.info()
        assert [each.size for each in info.disks] == [Size("4MiB")]
        assert pc.monitor("query-memory-size-summary", {}) == {"base-memory": 48 * 2**20, "plugged-memory": 0}
        assert len(pc.monitor("query-cpus-fast", {})) == 2  # type: ignore[arg-type]
        with pytest.raises(LabError, match="while it runs"):
            VmConfig(memory=Size("64MiB"), vm=pc).run(StepContext())


def test_forwards_and_what_cloud_init_reads_are_changed_while_it_is_off() -> None:
    network = Network(forwards={"ssh": Forward(guest=22)})
    with machine(network=network) as pc:
        user_data = "#!/bin/sh\ntouch /ready\n"
        VmConfig(forwards={"web": Forward(guest=80)}, user_data=user_data, vm=pc).run(StepContext())
        pc.start()
        info = pc.info()

        assert {name: each.guest for name, each in info.forwards.items()} == {"web": 80}
        assert info.forwards["web"].port > 0
        (seed,) = (each.path for each in info.disks if each.format == "vvfat")
        folder = Path(str(json.loads(seed.removeprefix("json:"))["dir"]))
        assert (folder / "user-data").read_text(encoding="utf-8") == user_data
        pc.stop()

        VmConfig(forwards={}, user_data="", vm=pc).run(StepContext())
        pc.start()
        assert (pc.info().forwards, pc.info().disks) == ({}, ())
    with machine(network=None) as pc, pytest.raises(Unsupported, match="no network"):
        VmConfig(forwards={"web": Forward(guest=80)}, vm=pc).run(StepContext())
    assert [each.argument for each in VmConfig.misfits({"user_data": "packages: []"})] == ["user_data"]


def test_a_file_that_is_not_qcow2_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(512))
    with (
        pytest.raises(LabError, match="is raw, not qcow2"),
        machine(disk=Disk(path=str(path), format="qcow2")),
    ):
        pass
