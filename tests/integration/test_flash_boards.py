"""Boards that start from what flash has written: real boot loaders, in QEMU."""

from __future__ import annotations

import hashlib
import lzma
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.context import StepContext
from support.media import noise
from support.peers import BOARDS, UBOOT
from support.plain_context import PlainContext

from runner.api import Duration, FilePath, LabError, MuxPosition, Size, StorageMux, TargetPath
from runner.console import Chunk, Console
from runner.modules.machine.options import Disk
from runner.modules.machine.qemu import Qemu
from runner.modules.storage.dump import Dump
from runner.modules.storage.flash import Flash

LIMIT = Duration("60s")
MIB = 2**20


class Board:
    """A virtual machine with its console heard."""

    def __init__(self, machine: Qemu) -> None:
        self.machine = machine
        self.console: Console = machine.console()
        self.printed = bytearray()
        self.context = PlainContext()

    def __enter__(self) -> Board:
        self.machine.open()
        self.console.start(self._hear, "board.console")
        return self

    def __exit__(self, *_: object) -> None:
        self.console.stop()
        self.machine.close()

    def _hear(self, chunk: Chunk) -> None:
        self.printed += chunk.data

    def enter(self) -> str:
        self.console.power_mark()
        self.machine.power().on()
        return self.console.enter_uboot(self.context, within=LIMIT).version

    def ask(self, command: str) -> str:
        return self.console.run_uboot(command, self.context, timeout=LIMIT).output


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.peer("orangepi")
def test_a_board_starts_its_spl_from_the_card_that_was_flashed(tmp_path: Path, stack: ExitStack) -> None:
    machine = Qemu(
        arch="arm",
        machine="orangepi-pc",
        memory=Size("1GiB"),
        cpus=4,
        disk=Disk(capacity=Size("64MiB"), attach="sd"),
    )
    board = stack.enter_context(Board(machine))
    card = bytes(8 * 1024) + (BOARDS / "orangepi.bin").read_bytes()
    (tmp_path / "card.img").write_bytes(lzma.compress(card, preset=0))
    image, storage = FilePath(tmp_path / "card.img"), machine.storage()

    result = Flash(image=image, storage=storage).run(PlainContext())

    assert (result.bytes_written, result.sha256) == (len(card), hashlib.sha256(card).hexdigest())
    version = board.enter()
    assert b"U-Boot SPL" in board.printed[: board.printed.index(version.encode())]
    with pytest.raises(LabError, match="cannot write to the medium while the machine runs"):
        Flash(image=image, storage=storage).run(PlainContext())
    board.machine.power().off()
    again = Flash(image=image, skip_if_same=True, storage=storage).run(PlainContext())
    assert again.bytes_written == 0
    context = StepContext()
    Dump(to=TargetPath("spl"), offset=Size(8192), length=Size(512), storage=storage).run(context)
    assert context.artifacts["spl"] == card[8192:8704]


class Stick(StorageMux):
    """A USB stick that is pulled out of a running machine and plugged into it, over its monitor (QMP)."""

    def __init__(self, machine: Qemu, path: Path) -> None:
        self.machine = machine
        self.path = path
        self.at: MuxPosition = "dut"

    def switch(self, position: MuxPosition) -> None:
        if position == self.at:
            return
        if position == "dut":
            file = {"driver": "file", "filename": str(self.path)}
            self.machine.monitor("blockdev-add", {"node-name": "new", "driver": "raw", "file": file})
            self.machine.monitor("device_add", {"driver": "usb-storage", "id": "stick", "drive": "new"})
        else:
            self.machine.monitor("device_del", {"id": "stick"})
            self.machine.monitor("human-monitor-command", {"command-line": "drive_del old"})
        self.at = position

    def medium(self) -> str:
        return str(self.path)


@pytest.mark.peer("qemu")
def test_a_usb_stick_is_taken_from_a_running_board_written_and_given_back(
    tmp_path: Path, stack: ExitStack
) -> None:
    path, content = tmp_path / "stick", noise(2 * MIB)
    path.write_bytes(b"\0" * (8 * MIB))
    (tmp_path / "image").write_bytes(content)
    machine = Qemu(
        bios=str(UBOOT),
        arguments=[
            *("-device", "usb-ehci", "-drive", f"if=none,id=old,format=raw,file={path}"),
            *("-device", "usb-storage,id=stick,drive=old"),
        ],
    )
    board = stack.enter_context(Board(machine))
    board.enter()
    assert "1 Storage Device(s) found" in board.ask("usb start")
    mux = Stick(machine, path)

    image = FilePath(tmp_path / "image")
    result = Flash(image=image, settle=Duration(0), storage=mux).run(PlainContext())

    assert (mux.at, result.verified) == ("dut", "full")
    assert "1 Storage Device(s) found" in board.ask("usb reset")
    board.ask("usb read 0x42000000 0 0x1000")
    assert f"{zlib.crc32(content):08x}" in board.ask("crc32 0x42000000 0x200000")
