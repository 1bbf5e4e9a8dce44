"""However a flash is ended: the board is switched off, and its medium is given back."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from support.command import LIMIT, interrupt, started, wait_until

DRIVERS = '''
"""A mux and a card of a test, which write down what is done to them."""

import os
import threading
from pathlib import Path

from runner.api import Context, Driver, Module, Size, Storage, StorageMux, arg, device


def note(folder, word):
    with Path(folder, "notes").open("a") as file:
        file.write(word + "\\n")


class EmptyMux(Driver, StorageMux):
    """A mux without a card."""

    folder: str = arg(help="where the notes are")

    def open(self) -> None:
        Path(self.folder, "pid").write_text(str(os.getpid()))

    def switch(self, position):
        note(self.folder, position)

    def medium(self):
        return f"{self.folder}/no-card"


class StuckCard(Driver, Storage):
    """A card that never takes what is written to it."""

    folder: str = arg(help="where the notes are")

    def size(self):
        return Size("1GiB")

    def write(self, offset, data):
        note(self.folder, "write")
        threading.Event().wait()

    def read(self, offset, length):
        return b""

    def flush(self):
        pass

    def end(self):
        note(self.folder, "end")


class GiveBack(Module):
    """Give a medium to the board."""

    mux: StorageMux = device()

    def run(self, context: Context) -> None:
        """Switch it."""
        self.mux.switch("dut")
'''


def flashing(folder: Path, driver: str, on_release: str = "[{power_off: }]") -> "subprocess.Popen[str]":
    """Start a flash; return when it is in the middle of it."""
    (folder / "modules").mkdir()
    (folder / "modules" / "media.py").write_text(DRIVERS, encoding="utf-8")
    (folder / "image").write_bytes(b"image" * 1000)
    (folder / "lab.yaml").write_text(
        "benches:\n"
        "  flash-desk:\n"
        "    devices:\n"
        f"      power: {{driver: command, turn_on: 'true', turn_off: 'touch {folder}/off'}}\n"
        f"      sd: {{driver: {driver}, folder: {folder}}}\n"
        f"    on_release: {on_release}\n",
        encoding="utf-8",
    )
    (folder / "recipe.yaml").write_text(
        "steps:\n  - power_on:\n  - flash: {image: image, wait_device: 50s, retries: 3}\n", encoding="utf-8"
    )
    process = started(folder, "play", "recipe.yaml", "-i", "lab.yaml")
    wait_until(lambda: process.poll() is not None or bool(notes(folder)), "it flashes")
    return process


def notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def safe(folder: Path, *words: str) -> None:
    wait_until((folder / "off").exists, "the board is switched off")
    wait_until(lambda: notes(folder) == list(words), f"{words} are noted, not {notes(folder)}")


@pytest.mark.parametrize(
    ("driver", "words"), [("empty_mux", ["host", "dut"]), ("stuck_card", ["write", "end"])]
)
def test_ctrl_c_gives_the_medium_back_and_switches_the_board_off(
    tmp_path: Path, driver: str, words: list[str]
) -> None:
    process = flashing(tmp_path, driver)
    interrupt(process)
    printed = "".join(process.communicate(timeout=LIMIT))

    assert process.returncode == 130, printed
    assert notes(tmp_path) == words
    assert (tmp_path / "off").exists()


def test_a_killed_runner_leaves_the_medium_with_the_board_and_that_switched_off(tmp_path: Path) -> None:
    process = flashing(tmp_path, "empty_mux")
    process.kill()
    process.communicate()

    safe(tmp_path, "host", "dut")


def test_a_killed_agent_leaves_what_the_bench_says(tmp_path: Path) -> None:
    process = flashing(tmp_path, "empty_mux", "[{power_off: }, {give_back: }]")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    printed = "".join(process.communicate(timeout=LIMIT))

    assert process.returncode == 3, printed
    safe(tmp_path, "host", "dut")
