"""Commands at real shells on a pty."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator

import pytest
from support.plain_context import PlainContext
from support.shells import PtyConsole

from runner.api import Cancelled, Duration, TimedOut
from runner.console import Chunk, ConsoleSettings

SHORT = Duration("20s")
SHELLS = [
    pytest.param(("sh",), id="sh"),
    pytest.param(("bash", "--norc"), id="bash", marks=pytest.mark.peer("bash")),
    pytest.param(("bash",), id="bash with its start-up files", marks=pytest.mark.peer("bash")),
    pytest.param(("busybox", "sh"), id="busybox", marks=pytest.mark.peer("busybox")),
]


@pytest.fixture(params=SHELLS)
def at(request: pytest.FixtureRequest) -> Iterator[PtyConsole]:
    console = PtyConsole(*request.param)
    console.start(console.record, "pty")
    yield console
    console.stop()
    console.end()


@pytest.mark.parametrize(
    ("command", "output", "status"),
    [
        ("echo one; echo two", "one\ntwo", 0),
        ("false", "", 1),
        ("exit_with() { return 42; }; exit_with", "", 42),
        ("printf 'no newline'", "no newline", 0),
        ('echo "it\'s" \'"quoted"\' \\$HOME `echo back`', 'it\'s "quoted" $HOME back', 0),
        ("echo 'a  b\tc'", "a  b\tc", 0),
        ("for i in 1 2 3\ndo\n  echo $i\ndone", "1\n2\n3", 0),
        ("cat <<END\nhere\nEND", "here", 0),
        ("echo é€", "é€", 0),
        ("printf '\\033[31mred\\033[0m\\n'", "red", 0),
        ("(sleep 0.01 & wait); echo done # comment", "done", 0),
        ("echo !! '!x'", "!! !x", 0),
        ("true;", "", 0),
        ("nosuchprogram 2>/dev/null", "", 127),
        ("printf '[   12.345678] usb 1-1: new\\n'; : dmesg", "[   12.345678] usb 1-1: new", 0),
    ],
)
def test_output_and_status_are_those_of_the_command(
    at: PtyConsole, command: str, output: str, status: int
) -> None:
    ran = at.run(command, at.context, timeout=SHORT)

    assert (ran.output, ran.status, ran.resent) == (output, status, 0)


def test_variables_and_folder_stay_from_one_command_to_the_next(at: PtyConsole) -> None:
    at.run("cd /tmp; x='kept here'", at.context, timeout=SHORT)

    assert at.run('echo "$PWD $x"', at.context, timeout=SHORT).output == "/tmp kept here"


def test_a_long_command_and_a_long_output_arrive(at: PtyConsole) -> None:
    text = "x" * 3000

    assert at.run(f"echo {text}", at.context, timeout=SHORT).output == text
    ran = at.run("i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done", at.context, timeout=SHORT)
    assert ran.output.split("\n") == [str(number) for number in range(5000)]


def test_a15_a_hundred_megabytes_lose_nothing_in_linear_time_and_bounded_memory() -> None:
    """Time of our own process: ten times as much takes ten times as long, and a hundred times if it were square."""
    console = PtyConsole("sh")
    heard = []

    def count(chunk: Chunk) -> None:
        heard.append(len(chunk.data))

    console.start(count, "pty")
    console.run("true", console.context, timeout=SHORT)
    took, most = [], []
    for size in (10_000_000, 100_000_000):
        heard.clear()
        began = time.process_time()
        ran = console.run(f"yes {'x' * 79} 2>&- | head -c {size}", console.context, timeout=Duration("10m"))
        took.append(time.process_time() - began)
        most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

        assert (len(ran.output) + ran.dropped + 1, ran.status) == (size, 0)
        assert ran.output.endswith("x" * 79 + "\n" + "x" * 79)
        assert sum(heard) > size + size // 80  # every line with its carriage return, and the frame
    console.stop()
    console.end()

    assert took[1] < 30 * took[0]
    assert most[1] - most[0] < 64 * 1024


def test_a_command_that_hangs_is_interrupted_and_the_next_one_works(at: PtyConsole) -> None:
    at.run("true", at.context, timeout=SHORT)
    with pytest.raises(TimedOut, match="has not ended within 1s"):
        at.run("echo begun; sleep 300", at.context, timeout=Duration("1s"))

    assert at.run("echo alive", at.context, timeout=SHORT).output == "alive"


def test_a_shell_inside_the_shell_is_entered_again(at: PtyConsole) -> None:
    at.run("true", at.context, timeout=SHORT)
    at.send(b"exec /bin/sh\n", at.context)

    assert at.run("echo new", at.context, timeout=SHORT).output == "new"


def test_a_cancel_ends_the_wait_at_once(at: PtyConsole) -> None:
    at.run("true", at.context, timeout=SHORT)
    timer = threading.Timer(0.2, at.context.cancel)
    timer.start()

    with pytest.raises(Cancelled):
        at.run("sleep 30", at.context, timeout=Duration("25s"))
    timer.join()
    ran = at.run("echo alive", PlainContext(), timeout=SHORT)
    assert (ran.output, ran.resent) == ("alive", 0)  # one that still sleeps is only heard after Ctrl-C


def test_the_shell_gets_its_echo_back(at: PtyConsole) -> None:
    at.run("true", at.context, timeout=SHORT)
    descriptor = os.dup(at.descriptor)

    at.stop()

    os.write(descriptor, b"echo so''me\n")
    heard = b""
    while b"some\r\n" not in heard:
        heard += os.read(descriptor, 1000)
    os.close(descriptor)
    assert b"echo so''me" in heard


@pytest.mark.peer("busybox")
def test_a_shell_without_any_program_is_enough() -> None:
    at = PtyConsole("env", "-i", "PATH=/nowhere", "/bin/busybox", "sh")
    at.start(at.record, "pty")

    ran = at.run("false; x=$?; echo $x", at.context, timeout=SHORT)

    assert (ran.output, ran.status) == ("1", 0)
    at.stop()
    at.end()


def test_the_reader_outlives_the_port_and_notes_the_gap() -> None:
    at = PtyConsole("sh")
    at.start(at.record, "pty")
    at.run("echo before", at.context, timeout=SHORT)
    at.expect(r"\$ $|# $", at.context, within=SHORT)

    at.end()
    found = at.expect(r"\$ $|# $", at.context, within=SHORT)

    assert found.text in ("$ ", "# ")
    assert [gap.split(":")[0].split(" after")[0] for gap in at.gaps] == ["lost", "open again"]
    at.power_mark()
    assert at.run("echo after", at.context, timeout=SHORT).output == "after"
    at.stop()
    at.end()


def test_two_hundred_thousand_lines_are_neither_lost_nor_kept_for_ever() -> None:
    at = PtyConsole("sh", settings=ConsoleSettings(kernel_level=None))
    at.start(at.record, "pty")
    at.run("true", at.context, timeout=SHORT)
    begin = len(at.raw)

    ran = at.run(
        "yes 'a line of sixty-four bytes with its end, to be counted again.' 2>/dev/null | head -n 200000",
        at.context,
        timeout=Duration("60s"),
    )

    assert ran.status == 0
    assert at.raw[begin:].count(b"again.\r\n") == 200_000
    assert ran.dropped + len(ran.output) + 1 == 200_000 * 62
    assert len(ran.output) <= 10 * 1024 * 1024 + 1
    at.stop()
    at.end()
