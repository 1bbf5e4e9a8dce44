"""What every open port of a console does."""

from __future__ import annotations

import os
import pty
import random
import socket
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.peers import UBOOT
from support.ports import loop, rfc2217, tcp, terminal
from support.ssh_server import free_port

from runner.api import Duration, Unreachable
from runner.console import ConsoleGone, Stream
from runner.modules.console.serial import Serial
from runner.modules.machine.qemu import Qemu
from runner.modules.sim.options import Faults
from runner.modules.sim.sim import Sim

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


ECHOING = [
    pytest.param(loop, id="loop"),
    pytest.param(terminal, id="terminal"),
    pytest.param(tcp, id="tcp"),
    pytest.param(rfc2217, id="rfc2217"),
]


@pytest.fixture(params=ECHOING)
def stream(request: pytest.FixtureRequest) -> Iterator[Stream]:
    with ExitStack() as stack:
        console = request.param(stack)
        opened = console.connect()
        stack.callback(opened.close)
        yield opened


def read_until(stream: Stream, count: int, limit: float = 120.0) -> bytes:
    end = time.monotonic() + limit
    data = b""
    while len(data) < count and time.monotonic() < end:
        data += stream.read(0.2)
    return data


def test_every_byte_comes_back_as_it_was(stream: Stream) -> None:
    sent = bytes(range(256))
    stream.write(sent)

    assert read_until(stream, 256) == sent


def test_silence_is_no_bytes_after_the_time(stream: Stream) -> None:
    started = time.monotonic()

    assert stream.read(0.1) == b""
    assert 0.05 < time.monotonic() - started < 20


def test_much_comes_back_without_loss(stream: Stream) -> None:
    sent = random.Random(1).randbytes(50_000)
    writer = threading.Thread(target=_write_in_pieces, args=(stream, sent))
    writer.start()

    assert read_until(stream, len(sent)) == sent
    writer.join()


def _write_in_pieces(stream: Stream, data: bytes) -> None:
    for at in range(0, len(data), 500):
        stream.write(data[at : at + 500])


def test_closing_wakes_the_reader(stream: Stream) -> None:
    threading.Timer(0.1, stream.close).start()
    started = time.monotonic()

    with pytest.raises(ConsoleGone):
        stream.read(300.0)
    assert time.monotonic() - started < 60


def test_closing_twice_is_closing_once(stream: Stream) -> None:
    stream.close()
    stream.close()


def test_a_port_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="cannot open the serial port '/dev/no-such-tty'"):
        Serial(port="/dev/no-such-tty").connect()


def test_a_url_that_nobody_knows_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="invalid URL"):
        Serial(port="nosuch://host").connect()


def test_a_server_that_refuses_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="refused"):
        Serial(port=f"socket://127.0.0.1:{free_port()}").connect()


def test_a_port_is_ours_alone_and_says_so_to_the_next() -> None:
    with ExitStack() as stack:
        console = terminal(stack)
        stack.callback(console.connect().close)

        with pytest.raises(Unreachable, match="exclusively lock") as caught:
            stack.callback(console.connect().close)
        assert "fuser" in caught.value.hint


def test_closing_a_port_does_not_hang_up() -> None:
    with ExitStack() as stack:
        ours, theirs = pty.openpty()
        stack.callback(os.close, ours)
        stack.callback(os.close, theirs)
        attributes = termios.tcgetattr(theirs)
        attributes[2] |= termios.HUPCL
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        stack.callback(Serial(port=os.ttyname(theirs)).connect().close)

        assert not termios.tcgetattr(theirs)[2] & termios.HUPCL


def test_a_port_that_hangs_up_is_gone_and_can_be_opened_again(tmp_path: Path) -> None:
    """A stable name leads to another terminal after the first has vanished."""
    name = tmp_path / "by-id"
    with ExitStack() as stack:
        first, theirs = pty.openpty()
        name.symlink_to(os.ttyname(theirs))
        console = Serial(port=str(name))
        stream = console.connect()
        os.close(theirs)
        os.close(first)
        with pytest.raises(ConsoleGone):
            stream.read(60.0)
        stream.close()

        name.unlink()
        second, theirs = pty.openpty()
        stack.callback(os.close, second)
        stack.callback(os.close, theirs)
        name.symlink_to(os.ttyname(theirs))
        stream = console.connect()
        stack.callback(stream.close)
        os.write(second, b"back")
        assert stream.read(60.0) == b"back"


def test_a_server_that_hangs_up_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = Serial(port=f"socket://127.0.0.1:{listener.getsockname()[1]}").connect()
        connection, _ = listener.accept()
        connection.close()

        with pytest.raises(ConsoleGone, match="hung up"):
            stream.read(60.0)
        stream.close()


Board = Sim | Qemu


def _sim() -> Board:
    return Sim()


def _qemu() -> Board:
    return Qemu(bios=str(UBOOT))


@pytest.fixture(
    params=[pytest.param(_sim, id="sim"), pytest.param(_qemu, id="qemu", marks=pytest.mark.peer("qemu"))]
)
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    make: Callable[[], Board] = request.param
    made = make()
    made.open()
    yield made
    made.close()


def test_a_board_without_power_is_silent_and_hears_nothing(board: Board) -> None:
    stream = board.console().connect()
    stream.write(b"anybody?\r")

    assert stream.read(0.1) == b""
    stream.close()


def test_the_first_byte_after_power_on_is_not_lost(board: Board) -> None:
    stream = board.console().connect()
    board.power().on()

    printed = read_until_text(stream, b"autoboot")

    assert printed.lstrip().startswith(b"U-Boot ")
    stream.close()


def test_a_board_answers_at_its_prompt_and_is_cut_off_with_its_power(board: Board) -> None:
    stream = board.console().connect()
    board.power().on()
    read_until_text(stream, b"autoboot")
    stream.write(b"\x03")
    read_until_text(stream, b"=> ")
    stream.write(b"echo here''after\r")

    assert b"hereafter" in read_until_text(stream, b"hereafter")
    board.power().off()
    while stream.read(0.1):
        pass
    stream.write(b"echo more\r")
    assert stream.read(0.2) == b""
    stream.close()


def test_a_boards_port_wakes_its_reader_when_it_is_closed(board: Board) -> None:
    stream = board.console().connect()
    threading.Timer(0.1, stream.close).start()

    with pytest.raises(ConsoleGone):
        stream.read(300.0)


def test_a_port_of_a_running_board_wakes_its_reader_when_it_is_closed(board: Board) -> None:
    stream = board.console().connect()
    board.power().on()
    read_until_text(stream, b"autoboot")
    stream.write(b"\x03")
    while stream.read(0.5):
        pass
    threading.Timer(0.1, stream.close).start()
    started = time.monotonic()

    with pytest.raises(ConsoleGone):
        stream.read(300.0)
    assert time.monotonic() - started < 60


def read_until_text(stream: Stream, text: bytes, limit: float = 120.0) -> bytes:
    end = time.monotonic() + limit
    data = b""
    while text not in data and time.monotonic() < end:
        data += stream.read(0.2)
    return data


def test_the_simulated_port_vanishes_and_comes_back() -> None:
    """An hour passes between the two: as short as it is told, and as long as the machine needs."""
    board = Sim(faults=Faults(port_gone_after=Duration("100ms"), port_gone_for=Duration("1h")))
    board.open()
    console = board.console()
    stream = console.connect()
    board.power().on()

    with pytest.raises(ConsoleGone):
        read_until_text(stream, b"never")
    with pytest.raises(Unreachable):
        console.connect()
    board._live._clock = lambda: time.monotonic() + 3600
    again = console.connect()
    again.write(b"\r")
    assert b"login: " in read_until_text(again, b"login: ")
    board.close()
