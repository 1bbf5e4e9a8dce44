"""command, with real programs."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from support.command import wait_until
from support.plain_context import PlainContext
from support.processes import gone, wait_until_gone

from runner.api import Cancelled, Duration, Failed, RecipeFault, TimedOut, Unreachable
from runner.api.program import KEEP
from runner.modules.core.command import Command


class Ear(PlainContext):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def log(self, text: str, level: str = "info") -> None:
        del level
        self.said.append(text)


class CancelledByOutput(PlainContext):
    """Cancelled once the program has said something."""

    def log(self, text: str, level: str = "info") -> None:
        self.cancel()


def test_text_is_a_line_for_the_shell() -> None:
    ended = Command(command="echo one; echo two >&2").run(PlainContext())

    assert (ended.stdout, ended.stderr, ended.status) == ("one\n", "two\n", 0)
    assert 0 < ended.elapsed < 60
    assert not ended.timed_out


def test_a_list_is_a_program_and_its_arguments() -> None:
    assert Command(command=["printf", "%s|", "a b", "$HOME"]).run(PlainContext()).stdout == "a b|$HOME|"


def test_a_status_other_than_0_fails_and_shows_the_end_of_the_output() -> None:
    with pytest.raises(Failed) as caught:
        Command(command="seq 30; echo bad >&2; exit 3").run(PlainContext())

    assert caught.value.message == "exit status 3, expected 0: seq 30; echo bad >&2; exit 3"
    assert caught.value.evidence["stdout"] == "\n".join(map(str, range(11, 31)))
    assert caught.value.evidence["stderr"] == "bad"
    assert caught.value.result.status == 3


def test_a_status_that_is_not_checked_is_returned() -> None:
    assert Command(command="exit 3", check=False).run(PlainContext()).status == 3


def test_a_signal_is_named() -> None:
    with pytest.raises(Failed, match="ended by signal SIGKILL, expected 0"):
        Command(command="kill -9 $$").run(PlainContext())


def test_folder_environment_and_input_are_given(tmp_path: Path) -> None:
    ended = Command(
        command='pwd; echo "$COLOUR $HOME"; cat', chdir=str(tmp_path), env={"COLOUR": "red"}, stdin="in\n"
    ).run(PlainContext())

    assert ended.stdout == f"{tmp_path}\nred {os.environ['HOME']}\nin\n"


def test_without_input_a_program_reads_the_end_of_it() -> None:
    assert Command(command="cat; echo done").run(PlainContext()).stdout == "done\n"


def test_output_is_said_while_the_program_runs(tmp_path: Path) -> None:
    context, fifo = Ear(), tmp_path / "fifo"
    os.mkfifo(fifo)
    module = Command(command=f"echo first; cat {fifo}; printf last")
    thread = threading.Thread(target=module.run, args=(context,))
    thread.start()
    wait_until(lambda: context.said == ["first"], "the first line is said")
    fifo.write_text("second\n", encoding="utf-8")
    thread.join(30)

    assert context.said == ["first", "second", "last"]


def test_a_time_out_ends_everything_that_was_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    module = Command(command=f"sleep 60 & echo $! > {note}; echo before; wait", timeout=Duration("1s"))

    with pytest.raises(TimedOut, match="not ended within 1s: sleep 60") as caught:
        module.run(PlainContext())

    assert caught.value.evidence["stdout"] == "before"
    assert caught.value.result.stdout == "before\n"
    assert caught.value.result.timed_out
    wait_until_gone(int(note.read_text(encoding="utf-8")))


def test_a_program_that_ignores_the_request_to_end_is_killed() -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut):
        Command(command="trap '' TERM; while :; do sleep 0.1; done", timeout=Duration("200ms")).run(
            PlainContext()
        )
    assert time.monotonic() - started < 30


def test_a_cancel_ends_it_at_once(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    started = time.monotonic()

    with pytest.raises(Cancelled):
        Command(command=f"echo $$ > {note}; echo here; exec sleep 60").run(CancelledByOutput())

    assert time.monotonic() - started < 30
    assert gone(int(note.read_text(encoding="utf-8")))


def test_somebody_who_escapes_with_the_pipe_does_not_hold_the_step(tmp_path: Path) -> None:
    note = tmp_path / "escaped"
    escape = f"setsid sh -c 'echo $$ > {note}; exec sleep 60' &"
    started = time.monotonic()

    ended = Command(command=f"{escape} while [ ! -s {note} ]; do :; done; echo here").run(PlainContext())

    assert ended.stdout == "here\n"
    assert 1 <= time.monotonic() - started < 30
    os.kill(int(note.read_text(encoding="utf-8")), signal.SIGKILL)


def test_much_output_is_kept_at_its_end_and_nothing_blocks() -> None:
    ended = Command(command=[sys.executable, "-c", "print('x' * 3_000_000 + 'end')"]).run(PlainContext())

    assert len(ended.stdout) == KEEP
    assert ended.stdout.endswith("end\n")
    assert ended.dropped == 3_000_004 - KEEP


def test_bytes_that_are_no_text_stay_visible() -> None:
    assert Command(command=r"printf '\377\303'").run(PlainContext()).stdout == r"\xff\xc3"


def test_a_program_that_is_not_there_is_the_labs_fault() -> None:
    with pytest.raises(Unreachable, match="cannot start 'no-such-program'"):
        Command(command=["no-such-program"]).run(PlainContext())


def test_variables_that_change_which_programs_run_are_refused_before_the_run() -> None:
    found = list(Command.misfits({"env": {"COLOUR": "red", "LD_PRELOAD": "x", "PATH": "x", "A=B": "x"}}))

    assert [each.argument for each in found] == ["env.LD_PRELOAD", "env.PATH", "env.A=B"]
    assert "is no name of a variable" in found[2].message


@pytest.mark.parametrize("command", ["", "  ", []])
def test_no_command_is_refused(command: str | list[str]) -> None:
    with pytest.raises(RecipeFault, match="there is no command"):
        Command(command=command).run(PlainContext())
