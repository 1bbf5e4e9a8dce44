"""flash through the tools of vendors: the programs themselves, and one that fails in every way."""

import hashlib
import os
import signal
import socket
import socketserver
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.context import StepContext
from support.media import noise
from support.plain_context import PlainContext

from runner.api import Cancelled, Duration, FilePath, LabError, RecipeFault, Unreachable
from runner.modules.storage.flash import Flash
from runner.modules.storage.flash_command import FlashCommand

CONTENT = noise(300_000)


@pytest.fixture
def image(tmp_path: Path) -> FilePath:
    path = tmp_path / "firm ware.bin"
    path.write_bytes(CONTENT)
    return FilePath(path)


def script(folder: Path, text: str) -> str:
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_tool_gets_the_file_and_the_target_and_its_percents_are_progress(
    tmp_path: Path, image: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = script(tmp_path, 'printf " 10 %%\\r 50 %%\\r100 %%\\n"; echo "$0 $VALUE [$1] [$2]"; cp "$1" copy')
    driver = FlashCommand(command=[tool, "{image}", "to={target}"], env={"VALUE": "7"})
    context = StepContext()
    monkeypatch.chdir(tmp_path)

    result = Flash(image=image, target="qspi", storage=driver).run(context)

    assert (tmp_path / "copy").read_bytes() == CONTENT
    assert any(text.endswith(f"{tool} 7 [{image}] [to=qspi]") for _, text in context.said)
    assert context.shown[-1] == (100, 100)
    assert result.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "echo cannot find the probe >&2; exit 3",
            {},
            "exit status 3, expected 0: .*: cannot find the probe",
        ),
        ("echo half; kill -9 $$", {}, "ended by signal SIGKILL, expected 0"),
        ("echo done", {"expect": "verified"}, "it did not print 'verified'"),
        ("sleep 100", {"limit": Duration("200ms")}, "did not end within 200ms"),
    ],
)
def test_a_tool_that_fails_is_the_labs_fault_with_its_words(
    tmp_path: Path, image: FilePath, text: str, options: dict[str, Any], message: str
) -> None:
    driver = FlashCommand(command=[script(tmp_path, text), "{image}"], **options)

    with pytest.raises(LabError, match=message) as caught:
        Flash(image=image, storage=driver).run(PlainContext())
    assert "tool" in str(caught.value.evidence["command"])


def test_a_tool_that_is_not_there_is_named(image: FilePath) -> None:
    with pytest.raises(Unreachable, match="cannot start 'no-such-tool'"):
        Flash(image=image, storage=FlashCommand(command=["no-such-tool", "{image}"])).run(PlainContext())


def test_a_cancelled_tool_is_ended(tmp_path: Path, image: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    context = PlainContext()
    driver = FlashCommand(command=[script(tmp_path, "echo $$ >pid; exec sleep 100"), "{image}"])
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pid")
    pids: list[int] = []

    def cancel() -> None:
        pids.append(int((tmp_path / "pid").read_text()))
        context.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        Flash(image=image, storage=driver).run(context)
    thread.join()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], signal.SIGKILL)


@pytest.mark.parametrize(
    ("driver", "target", "words"),
    [
        (
            FlashCommand(preset="openocd", arguments=["-f", "board.cfg"]),
            "0x8000000",
            ["openocd", "-f", "board.cfg", "-c", "program {/a b.bin} 0x8000000 verify reset exit"],
        ),
        (
            FlashCommand(preset="uuu", arguments=["-b", "emmc_all", "flash.bin"]),
            "",
            ["uuu", "-b", "emmc_all", "flash.bin", "/a b.bin"],
        ),
        (FlashCommand(preset="fastboot"), "boot_a", ["fastboot", "flash", "boot_a", "/a b.bin"]),
        (
            FlashCommand(preset="esptool", executable="esptool.py", arguments=["--port", "/dev/ttyUSB0"]),
            "",
            ["esptool.py", "--port", "/dev/ttyUSB0", "write_flash", "0x0", "/a b.bin"],
        ),
        (FlashCommand(preset="dfu-util"), "", ["dfu-util", "--alt", "0", "--download", "/a b.bin"]),
        (FlashCommand(preset="bmaptool"), "/dev/sdz", ["bmaptool", "copy", "/a b.bin", "/dev/sdz"]),
        (
            FlashCommand(preset="avrdude", arguments=["-p", "m328p"]),
            "",
            ["avrdude", "-p", "m328p", "-U", "flash:w:/a b.bin:a"],
        ),
    ],
    ids=lambda value: value.preset if isinstance(value, FlashCommand) else "",
)
def test_a_preset_knows_how_its_tool_is_called(driver: FlashCommand, target: str, words: list[str]) -> None:
    assert driver.command_line("/a b.bin", target) == words


def test_a_preset_that_needs_a_target_says_so(image: FilePath) -> None:
    with pytest.raises(RecipeFault, match="fastboot needs a target: the partition's name"):
        Flash(image=image, storage=FlashCommand(preset="fastboot")).run(PlainContext())
    with pytest.raises(RecipeFault, match=r"has no \{target\} to put 'x' in"):
        Flash(image=image, target="x", storage=FlashCommand(preset="uuu")).run(PlainContext())


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"preset": "uuu", "command": ["x", "{image}"]}, ["command"]),
        ({"preset": "", "command": []}, ["command"]),
        ({"preset": "", "command": ["x"]}, ["command"]),
        ({"preset": "uuu", "command": [], "expect": "("}, ["expect"]),
        ({"preset": "uuu", "command": [], "expect": "ok"}, []),
    ],
)
def test_options_that_do_not_fit_are_found_before_the_run(given: dict[str, Any], wrong: list[str]) -> None:
    assert [each.argument for each in FlashCommand.misfits(given)] == wrong


class Bootloader(socketserver.StreamRequestHandler):
    """A board in fastboot (Android, "fastboot protocol": TCP, version 1)."""

    def handle(self) -> None:
        server: Any = self.server
        assert self.rfile.read(4) == b"FB01"
        self.wfile.write(b"FB01")
        while header := self.rfile.read(8):
            said = self.rfile.read(struct.unpack(">Q", header)[0])
            word, _, value = said.partition(b":")
            if word == b"getvar":
                self.answer(b"OKAY" + {b"max-download-size": b"0x1000000"}.get(value, b""))
            elif word == b"download":
                self.answer(b"DATA" + value)
                left = int(value, 16)
                while left:
                    size = struct.unpack(">Q", self.rfile.read(8))[0]
                    server.data += self.rfile.read(size)
                    left -= size
                self.answer(b"OKAY")
            elif word == b"flash" and value == b"locked":
                self.answer(b"FAILthe bootloader is locked")
            else:
                server.words.append(said)
                self.answer(b"OKAY")

    def answer(self, data: bytes) -> None:
        self.wfile.write(struct.pack(">Q", len(data)) + data)


@pytest.fixture
def board() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Bootloader) as server:
        board: Any = server
        board.daemon_threads, board.data, board.words = True, bytearray(), []
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield board
        server.shutdown()


@pytest.mark.peer("fastboot")
def test_fastboot_flashes_a_partition_and_tells_why_it_did_not(board: Any, image: FilePath) -> None:
    driver = FlashCommand(preset="fastboot", arguments=["-s", f"tcp:127.0.0.1:{board.server_address[1]}"])

    Flash(image=image, target="boot", storage=driver).run(PlainContext())

    assert bytes(board.data) == CONTENT
    assert b"flash:boot" in board.words
    with pytest.raises(LabError, match="exit status 1, expected 0: fastboot .*locked"):
        Flash(image=image, target="locked", storage=driver).run(PlainContext())


@pytest.mark.peer("openocd")
def test_openocd_without_a_probe_is_the_labs_fault_with_its_words(image: FilePath) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        commands = [
            "gdb_port disabled; tcl_port disabled; telnet_port disabled",
            f"adapter driver remote_bitbang; remote_bitbang host 127.0.0.1; remote_bitbang port {nobody.getsockname()[1]}",
            "transport select jtag; jtag newtap chip cpu -irlen 4",
        ]
        driver = FlashCommand(
            preset="openocd", arguments=[word for each in commands for word in ("-c", each)]
        )

        with pytest.raises(LabError, match="exit status 1, expected 0: openocd"):
            Flash(image=image, storage=driver).run(PlainContext())


@pytest.mark.peer("avrdude")
def test_avrdude_without_a_board_is_the_labs_fault_with_its_words(tmp_path: Path, image: FilePath) -> None:
    arguments = ["-c", "arduino", "-p", "m328p", "-P", str(tmp_path / "ttyUSB0")]
    driver = FlashCommand(preset="avrdude", arguments=arguments)

    with pytest.raises(LabError, match="exit status 1, expected 0: avrdude"):
        Flash(image=image, storage=driver).run(PlainContext())


def test_programs_are_what_a_host_needs() -> None:
    assert dict(FlashCommand(preset="uuu").needs().programs) == {"uuu": "mfgtools"}
    assert subprocess.list2cmdline(FlashCommand(command=["a", "{image}"]).command_line("b", "")) == "a b"
