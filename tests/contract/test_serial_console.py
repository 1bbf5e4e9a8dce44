"""What every console on a serial port does with its lines, its speed and a break, or says that it cannot."""

from __future__ import annotations

import os
import pty
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from support.plain_context import PlainContext
from support.ports import loop, rfc2217, tcp, terminal

from runner.api import Duration, Unsupported
from runner.console import Chunk
from runner.modules.console.serial import Serial

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")
SHORT = Duration("20ms")


def started(make: Callable[[ExitStack], Serial]) -> Iterator[Serial]:
    with ExitStack() as stack:
        console = make(stack)
        console.start(lambda _chunk: None, "uart")
        stack.callback(console.stop)
        yield console


@pytest.fixture(params=[pytest.param(loop, id="loop"), pytest.param(rfc2217, id="rfc2217")])
def lined(request: pytest.FixtureRequest) -> Iterator[Serial]:
    yield from started(request.param)


@pytest.fixture(params=[pytest.param(terminal, id="terminal"), pytest.param(tcp, id="tcp")])
def lineless(request: pytest.FixtureRequest) -> Iterator[Serial]:
    yield from started(request.param)


@pytest.fixture(
    params=[
        pytest.param(loop, id="loop"),
        pytest.param(rfc2217, id="rfc2217"),
        pytest.param(terminal, id="terminal"),
    ]
)
def adjustable(request: pytest.FixtureRequest) -> Iterator[Serial]:
    yield from started(request.param)


def test_lines_that_are_set_read_back(lined: Serial) -> None:
    lined.set_lines(dtr=False, rts=True)

    assert (lined.lines().dtr, lined.lines().rts) == (False, True)
    lined.set_lines(dtr=True)
    assert (lined.lines().dtr, lined.lines().rts) == (True, True)


def test_lines_are_kept_when_the_port_is_opened_again(lined: Serial) -> None:
    lined.set_lines(dtr=False)

    assert (lined.dtr, lined.rts) == (False, True)


def test_a_break_is_sent(lined: Serial) -> None:
    lined.send_break(SHORT, PlainContext())

    assert lined.lines().counters is None


def test_what_a_port_does_not_have_is_unsupported_and_names_the_device(lineless: Serial) -> None:
    with pytest.raises(Unsupported, match="modem lines: not supported by this console, 'uart'"):
        lineless.lines()
    with pytest.raises(Unsupported, match="'uart'"):
        lineless.set_lines(rts=False)
    with pytest.raises(Unsupported, match="a break: not supported by this console, 'uart'"):
        lineless.send_break(SHORT, PlainContext())
    assert lineless.rts


def test_the_speed_is_changed_and_kept_for_the_next_opening(adjustable: Serial) -> None:
    now = replace(adjustable.line_settings(), baudrate=9600, stopbits=2)

    adjustable.set_line_settings(now)

    assert adjustable.line_settings() == now
    assert (adjustable.baudrate, adjustable.stopbits) == (9600, 2)


def test_a_format_that_a_port_cannot_do_changes_nothing() -> None:
    for console in started(terminal):
        before = console.line_settings()

        with pytest.raises(Unsupported, match="9600 bit/s"):
            console.set_line_settings(replace(before, baudrate=9600, parity="even"))
        assert console.line_settings() == before


def test_a_tcp_connection_has_no_speed() -> None:
    for console in started(tcp):
        with pytest.raises(Unsupported, match="9600 bit/s|a speed"):
            console.set_line_settings(replace(console.line_settings(), baudrate=9600))
        assert console.baudrate == 115200


def test_a_terminal_is_ours_raw_and_without_modem_control() -> None:
    """The settings of a tty that we own: termios(3), and EBUSY for the next one who is not root."""
    with ExitStack() as stack:
        ours, theirs = pty.openpty()
        stack.callback(os.close, ours)
        stack.callback(os.close, theirs)
        console = Serial(port=os.ttyname(theirs), baudrate=57600)
        chunks: list[Chunk] = []
        console.start(chunks.append, "uart")
        stack.callback(console.stop)
        _, _, control, local, speed, _, _ = termios.tcgetattr(theirs)

        assert control & termios.CLOCAL
        assert not control & termios.HUPCL
        assert not local & (termios.ICANON | termios.ECHO | termios.ISIG)
        assert speed == termios.B57600
        with pytest.raises(Exception, match="exclusively lock"):
            Serial(port=os.ttyname(theirs)).connect()
        console.set_line_settings(replace(console.line_settings(), baudrate=9600))
        control, speed = termios.tcgetattr(theirs)[2], termios.tcgetattr(theirs)[4]
        assert control & termios.CLOCAL
        assert not control & termios.HUPCL
        assert speed == termios.B9600


def test_a_port_that_was_closed_is_opened_when_it_is_used_and_the_log_says_both() -> None:
    with ExitStack() as stack:
        ours, theirs = pty.openpty()
        stack.callback(os.close, ours)
        stack.callback(os.close, theirs)
        console = Serial(port=os.ttyname(theirs))
        chunks: list[Chunk] = []
        console.start(chunks.append, "uart")
        stack.callback(console.stop)

        assert console.release()
        assert not console.release()
        Serial(port=os.ttyname(theirs)).connect().close()
        os.write(ours, b"nobody reads this\r\n")
        termios.tcflush(theirs, termios.TCIFLUSH)
        console.send(b"x", PlainContext())
        os.write(ours, b"ready\r\n")
        console.expect("ready", PlainContext(), within=Duration("20s"))

        assert [chunk.gap for chunk in chunks if chunk.gap] == [
            "closed, so that somebody else can use the port",
            "open again",
        ]
        assert os.read(ours, 10) == b"x"
