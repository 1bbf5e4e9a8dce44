"""A shell behind a line with a speed, and a port that is given to somebody else for a while."""

from __future__ import annotations

import os
import shutil
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.context import StepContext
from support.plain_context import PlainContext
from support.speed_line import SpeedLine

from runner.api import Duration, TimedOut, Unreachable, Unsupported
from runner.console import Chunk, ConsoleSettings
from runner.modules.console.console_close import ConsoleClose
from runner.modules.console.serial import Serial
from runner.modules.console.serial_config import SerialConfig
from runner.modules.console.serial_lines import SerialLines

LIMIT = Duration("60s")


class Bench:
    """A shell at the other end of the line, with the line as its terminal.

    Its `stty` waits as one on a UART does until what was printed is out: a pseudo-terminal has no such wait.
    """

    def __init__(self, folder: Path) -> None:
        stty, waits = folder / "stty", folder / "waits"
        stty.write_text(
            f"#!/bin/sh\nsleep 0.1\n: >{waits}\nwhile [ -e {waits} ]; do sleep 0.02; done\n"
            f'exec {shutil.which("stty")} "$@"\n',
            encoding="utf-8",
        )
        stty.chmod(0o755)
        self.line = SpeedLine()
        self.line.when_idle = lambda: waits.unlink(missing_ok=True)
        self.chunks: list[Chunk] = []
        self.console = Serial(port=self.line.ours, settings=ConsoleSettings(kernel_level=None))
        self.shell = subprocess.Popen(
            ["setsid", "--ctty", "sh", "-c", "stty sane 115200; exec sh -i"],
            stdin=(terminal := os.open(self.line.theirs, os.O_RDWR | os.O_NOCTTY)),
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        )
        os.close(terminal)
        self.console.start(self.chunks.append, "uart")
        self.console.login(PlainContext(), user="nobody", within=LIMIT)

    def say(self, word: str) -> str:
        return self.console.run(f"echo {word}", PlainContext(), timeout=LIMIT).output

    def close(self) -> None:
        self.console.stop()
        self.shell.kill()
        self.shell.wait()
        self.line.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_a_shell_follows_to_another_speed_and_back(bench: Bench) -> None:
    for baudrate, constant in ((9600, termios.B9600), (115200, termios.B115200)):
        SerialConfig(baudrate=baudrate, follow="shell", within=LIMIT, console=bench.console).run(
            StepContext()
        )

        assert bench.line.speeds() == (constant, constant)
        assert bench.say("alive") == "alive"


def test_a_speed_that_only_our_end_has_carries_nothing_until_it_is_set_back(bench: Bench) -> None:
    SerialConfig(baudrate=9600, console=bench.console).run(StepContext())
    assert bench.line.speeds() == (termios.B9600, termios.B115200)
    with pytest.raises(TimedOut):
        bench.console.run("echo lost", PlainContext(), timeout=Duration("1s"))

    SerialConfig(baudrate=115200, console=bench.console).run(StepContext())
    assert bench.say("alive") == "alive"


def test_lines_that_a_terminal_does_not_have_are_refused_by_name(bench: Bench) -> None:
    with pytest.raises(Unsupported, match="modem lines: not supported by this console, 'uart'"):
        SerialLines(dtr=False, console=bench.console).run(StepContext())
    assert bench.say("alive") == "alive"


def test_a_port_that_was_let_go_of_can_be_used_by_somebody_else_meanwhile(bench: Bench) -> None:
    before = bench.say("before")
    with pytest.raises(Unreachable, match="lock|busy|use"):
        Serial(port=bench.line.ours).connect()

    closed = ConsoleClose(console=bench.console).run(StepContext())
    other = Serial(port=bench.line.ours)
    stream = other.connect()
    stream.write(b"echo by''other\n")
    heard = b""
    while b"byother" not in heard:
        heard += stream.read(5.0)
    stream.close()

    assert (before, closed.was_open) == ("before", True)
    assert bench.say("again") == "again"
    assert not any(b"byother" in chunk.data for chunk in bench.chunks)
    assert [chunk.gap for chunk in bench.chunks if chunk.gap] == [
        "closed, so that somebody else can use the port",
        "open again",
    ]
