import os
import select
import signal
import subprocess
import time

import pytest

from runner.api import Unreachable
from runner.api.process import end, popen


def first_line(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_program_runs_in_a_session_of_its_own() -> None:
    with popen(["sh", "-c", "ps -o sid= -p $$; cat"], stdin=subprocess.PIPE) as process:
        assert int(first_line(process)) == process.pid
        assert end(process, grace=60.0) == -signal.SIGTERM


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace() -> None:
    with popen(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]) as process:
        first_line(process)
        began = time.monotonic()
        assert end(process, grace=0.2) == -signal.SIGKILL
        assert time.monotonic() - began < 30


def test_what_a_program_has_started_is_ended_with_it() -> None:
    with popen(["sh", "-c", "trap '' TERM; sleep 1000 & echo $!; exec sleep 0"]) as process:
        watched = os.pidfd_open(int(first_line(process)))
        process.wait(60)
        end(process)
        poll = select.poll()
        poll.register(watched, select.POLLIN)
        assert poll.poll(60_000)
        os.close(watched)


def test_a_program_that_has_ended_keeps_its_status() -> None:
    with popen(["sh", "-c", "exit 3"]) as process:
        process.wait(60)
        assert end(process) == 3


def test_a_program_that_is_not_there_is_the_labs_fault() -> None:
    with pytest.raises(Unreachable, match="cannot start 'no-such-program': No such file"):
        popen(["no-such-program"])
