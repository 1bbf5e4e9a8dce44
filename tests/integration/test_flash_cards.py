"""flash and dump, with real block devices and file systems: what a medium behind a mux can do wrong."""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.context import StepContext
from support.media import PlainMux, Sleepless, call, loop, mounted, noise
from support.plain_context import PlainContext

from runner.api import Duration, FilePath, LabError, MuxPosition, RecipeFault, Size, TargetPath, Unreachable
from runner.modules.storage.card import InUse
from runner.modules.storage.dump import Dump
from runner.modules.storage.file import File
from runner.modules.storage.flash import Flash, Part
from runner.modules.storage.patient import Stalled

MIB = 2**20
CONTENT = noise(5 * MIB + 512)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
needs_loop = pytest.mark.peer("loop")


@pytest.fixture
def image(tmp_path: Path) -> FilePath:
    path = tmp_path / "card.img"
    path.write_bytes(CONTENT)
    return FilePath(path)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def blank(path: Path, size: int = 8 * MIB) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


@needs_loop
def test_a_medium_that_is_missing_then_absent_then_empty_then_there_is_awaited(
    tmp_path: Path, image: FilePath, stack: ExitStack
) -> None:
    backing, mux = blank(tmp_path / "backing"), PlainMux()
    device = call("losetup", "--find")

    def insert() -> None:
        call("losetup", device, backing)
        stack.callback(call, "losetup", "--detach", device)

    context = Sleepless(
        lambda: setattr(mux, "path", str(tmp_path / "sda")),  # ENOENT
        lambda: (tmp_path / "sda").symlink_to(device),  # a reader that holds 0 bytes
        insert,
    )
    flash = Flash(image=image, force=True, storage=mux, settle=Duration(3))
    result = flash.run(context)

    assert backing.read_bytes()[: len(CONTENT)] == CONTENT
    assert (result.bytes_written, result.sha256, result.verified) == (len(CONTENT), SHA256, "full")
    assert mux.positions == ["host", "dut"]
    assert context.slept[-1] == 3


def test_a_medium_that_never_comes_is_unreachable_and_the_board_gets_it_back(image: FilePath) -> None:
    mux = PlainMux()

    with pytest.raises(Unreachable, match=r"not there within 30s .*: no card reader has a card") as caught:
        Flash(image=image, wait_device=Duration("30s"), storage=mux).run(Sleepless())
    assert caught.value.evidence["limit_origin"] == "wait_device"
    assert mux.positions == ["host", "dut"]


@needs_loop
def test_a_mounted_disk_is_refused_and_nothing_is_written(
    tmp_path: Path, image: FilePath, stack: ExitStack
) -> None:
    backing = blank(tmp_path / "backing")
    device = stack.enter_context(loop(backing))
    call("mkfs.ext4", "-q", device)
    where = stack.enter_context(mounted(device, tmp_path / "there"))
    before, mux = backing.read_bytes(), PlainMux(device)

    with pytest.raises(InUse, match=rf"{device} is mounted at {where}: nothing was written"):
        Flash(image=image, storage=mux).run(PlainContext())
    assert backing.read_bytes() == before
    assert mux.positions == ["host", "dut"]
    file = File(path=device)
    file.open()
    stack.callback(file.close)
    with pytest.raises(InUse, match="is mounted"):
        Flash(image=image, storage=file).run(PlainContext())


@needs_loop
def test_a_disk_that_is_built_in_is_refused_unless_that_is_insisted_on(
    tmp_path: Path, image: FilePath, stack: ExitStack
) -> None:
    mux = PlainMux(stack.enter_context(loop(blank(tmp_path / "backing"))))

    with pytest.raises(InUse, match="is a disk that is built in: nothing was written"):
        Flash(image=image, retries=3, storage=mux).run(PlainContext())
    assert mux.positions == ["host", "dut"]
    result = Flash(image=image, force=True, leave="host", settle=Duration(0), storage=mux).run(PlainContext())
    assert result.sha256 == SHA256
    assert mux.positions[2:] == ["host", "host"]


@needs_loop
def test_a_write_that_stalls_is_given_up(tmp_path: Path, image: FilePath, stack: ExitStack) -> None:
    device = stack.enter_context(loop(blank(tmp_path / "backing", 32 * MIB)))
    call("mkfs.ext4", "-q", device)
    where = stack.enter_context(mounted(device, tmp_path / "there"))
    mux = PlainMux(str(blank(where / "card", 8 * MIB)))
    call("fsfreeze", "--freeze", where)
    stack.callback(call, "fsfreeze", "--unfreeze", where)

    with pytest.raises(Stalled, match="writing at byte 0 of the medium has not come to an end within 1s"):
        Flash(image=image, stall=Duration("1s"), retries=2, settle=Duration(0), storage=mux).run(
            PlainContext()
        )
    assert mux.positions == ["host", "dut"]


@needs_loop
@pytest.mark.peer("tmpfs")
def test_a_card_that_loses_what_it_is_given_is_the_labs_fault(
    tmp_path: Path, image: FilePath, stack: ExitStack
) -> None:
    small = stack.enter_context(mounted("tmpfs", tmp_path / "small", "-t", "tmpfs", "-o", "size=2m"))
    mux = PlainMux(stack.enter_context(loop(blank(small / "backing"))))

    with pytest.raises(LabError, match="Input/output error|does not keep what is written") as caught:
        Flash(image=image, force=True, settle=Duration(0), storage=mux).run(PlainContext())
    assert not isinstance(caught.value, Stalled)
    assert mux.positions == ["host", "dut"]


def test_another_attempt_takes_the_medium_anew(tmp_path: Path, image: FilePath) -> None:
    class Late(PlainMux):
        """Has the medium from the second time on that it is switched to the host."""

        def switch(self, position: MuxPosition) -> None:
            super().switch(position)
            if self.positions.count("host") == 2:
                self.path = str(blank(tmp_path / "card"))

    mux, context = Late(), Sleepless()
    flash = Flash(image=image, retries=2, wait_device=Duration("30s"), settle=Duration(0), storage=mux)
    result = flash.run(context)

    assert result.attempts == 2
    assert mux.positions == ["host", "dut", "host", "dut"]
    assert "attempt 1 of 3: the medium was not there" in context.said[0]


def test_what_is_the_recipes_fault_is_not_tried_again(tmp_path: Path, image: FilePath) -> None:
    mux = PlainMux(str(blank(tmp_path / "card", MIB)))

    with pytest.raises(RecipeFault, match="nothing was written"):
        Flash(image=image, retries=2, storage=mux).run(PlainContext())
    assert mux.positions == ["host", "dut"]


@needs_loop
def test_partitions_are_targets_by_number_and_by_name(
    tmp_path: Path, image: FilePath, stack: ExitStack
) -> None:
    disk = blank(tmp_path / "disk", 32 * MIB)
    call("sfdisk", "--quiet", disk, told="label: gpt\n,8M\nname=rootfs,size=8M\n")
    mux = PlainMux(stack.enter_context(loop(disk)))
    boot = Part(image=FilePath(str(image)))
    second = tmp_path / "second.img"
    second.write_bytes(b"second" * 1000)
    targets = {"1": boot, "rootfs": Part(image=FilePath(second), offset=Size(4096))}

    result = Flash(targets=targets, force=True, settle=Duration(0), storage=mux).run(PlainContext())

    assert result.parts == {"1": SHA256, "rootfs": hashlib.sha256(b"second" * 1000).hexdigest()}
    assert mux.positions == ["host", "dut"]
    assert disk.read_bytes()[MIB : MIB + len(CONTENT)] == CONTENT
    with pytest.raises(RecipeFault, match="no target 'home', and no partition of that number or name"):
        Flash(image=image, target="home", force=True, storage=mux).run(PlainContext())


@needs_loop
def test_a_part_of_a_protected_medium_is_dumped_packed_and_the_mux_is_given_back(
    tmp_path: Path, stack: ExitStack
) -> None:
    card = tmp_path / "card"
    card.write_bytes(CONTENT)
    mux, context = PlainMux(stack.enter_context(loop(card, "--read-only"))), StepContext()

    result = Dump(
        to=TargetPath("part.gz"),
        offset=Size(1000),
        length=Size(4 * MIB + 1),
        compression="gzip",
        leave="off",
        storage=mux,
    ).run(context)

    wanted = CONTENT[1000 : 1000 + 4 * MIB + 1]
    assert gzip.decompress(context.artifacts["part.gz"]) == wanted
    assert (result.size, result.sha256) == (len(wanted), hashlib.sha256(wanted).hexdigest())
    assert result.stored == len(context.artifacts["part.gz"])
    assert mux.positions == ["host", "off"]


def test_a_medium_that_stays_with_the_host_is_read_there(tmp_path: Path, image: FilePath) -> None:
    mux, context = PlainMux(str(blank(tmp_path / "card"))), StepContext()
    Flash(image=image, leave="host", settle=Duration(0), storage=mux).run(PlainContext())
    left = mux.positions[-1]
    Dump(to=TargetPath("all"), length=Size(len(CONTENT)), storage=mux).run(context)

    assert left == "host"
    assert context.artifacts["all"] == CONTENT
    assert mux.positions[-1] == "dut"


def test_a_dump_of_more_than_there_is_reads_nothing(tmp_path: Path) -> None:
    mux = PlainMux(str(blank(tmp_path / "card")))

    with pytest.raises(RecipeFault, match="the medium has 8388608 bytes: nothing was read"):
        Dump(to=TargetPath("x"), offset=Size(8 * MIB - 1), length=Size(2), storage=mux).run(StepContext())
    assert mux.positions == ["host", "dut"]


def test_a_file_that_grows_is_dumped_to_its_end(tmp_path: Path, image: FilePath) -> None:
    file, context = File(path=str(image)), StepContext()
    file.open()

    result = Dump(to=TargetPath("all"), storage=file).run(context)

    file.close()
    assert context.artifacts["all"] == CONTENT
    assert result.sha256 == SHA256
