"""`runner console` as a person and as a script use it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from support.command import CLEAN, LIMIT, RUNNER, wait_until
from support.peers import ROOT

INVENTORY = """\
benches:
  own:
    devices: {board: {driver: sim}}
  desk:
    devices:
      board: {driver: sim, powered: true}
      fuse: {driver: command, turn_on: "true", turn_off: "true"}
"""
PLAYED = """\
name: nightly
benches: desk
timeout: {test: 2m}
steps:
  - console_login: {user: root, within: 60s}
  - console_cmd: echo the play $((20 + 22)) is here
  - expect_console: {pattern: 'typed by hand', within: 90s}
"""
LOUD = """\
name: loud
benches: desk
timeout: {test: 2m}
steps:
  - console_login: {user: root, within: 60s}
  - console_cmd: echo ready $((1 + 1))
  - expect_console: {pattern: 'it has stopped', within: 90s}
  - console_cmd: seq 1 400000
    expect: "result.output is search('400000')"
"""


class Lab:
    """A folder with an inventory, locks of its own, and what was started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.locks = folder / "locks"
        self.started: list[subprocess.Popen[bytes]] = []
        self.environment = {**CLEAN, "CI": "", "RUNNER_LOCKS": str(self.locks), "TERM": "xterm"}
        (folder / "lab.yaml").write_text(INVENTORY, encoding="utf-8")

    def run(self, *arguments: str, typed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*RUNNER, *arguments, "-i", "lab.yaml"],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*RUNNER, *arguments, "-i", "lab.yaml"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    def play(self, recipe: str) -> subprocess.Popen[bytes]:
        (self.folder / "nightly.yaml").write_text(recipe, encoding="utf-8")
        return self.start("play", "nightly.yaml")

    def terminal(self, *arguments: str) -> pexpect.spawn[bytes]:
        return pexpect.spawn(
            RUNNER[0],
            [*RUNNER[1:], "console", *arguments, "-i", "lab.yaml"],
            cwd=str(self.folder),
            env=self.environment,
            timeout=LIMIT,
        )

    def offered(self, bench: str) -> list[Path]:
        return list(self.locks.glob(f"{bench}@*")) if self.locks.exists() else []

    def free(self, bench: str) -> bool:
        with (self.locks / f"{bench}.lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def said(self) -> list[str]:
        lines = (self.folder / "results/latest/events.jsonl").read_text(encoding="utf-8").splitlines()
        return [event["text"] for event in map(json.loads, lines) if event["event"] == "logged"]

    def logs(self) -> list[bytes]:
        return [each.read_bytes() for each in self.folder.glob("results/console-*/console/*.raw")]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    for process in lab.started:
        process.kill()
        process.communicate()


def modes(terminal: pexpect.spawn[bytes]) -> list[object]:
    return termios.tcgetattr(terminal.child_fd)


def test_a_person_types_on_the_board_and_gets_the_terminal_back_as_it_was(lab: Lab) -> None:
    terminal = lab.terminal("own")
    before = modes(terminal)
    terminal.expect_exact("console board.console of bench own\r\n")
    terminal.expect_exact("quit: Ctrl-] q   help: Ctrl-] ?   log: results/console-")
    terminal.expect_exact("sim login: ")
    during = modes(terminal)
    terminal.send(b"root\r")
    terminal.expect_exact("# ")
    terminal.send(b"echo a$((40 + 2))\r")
    terminal.expect_exact("\r\na42\r\n")
    terminal.send(b"\x1d?")
    terminal.expect_exact("\r\n-- Ctrl-] q  quit")
    terminal.send(b"\x1dc")
    terminal.expect_exact("-- power cycle\r\n")
    terminal.expect_exact("U-Boot SPL")
    terminal.send(b"\x1dq")
    terminal.expect_exact("-- closed\r\n")
    terminal.expect_exact("\x1b[23;0t")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 0
    assert during != before
    assert modes_after(lab) == before


def modes_after(lab: Lab) -> list[object]:
    """Return the modes that a shell finds after a session."""
    shell = pexpect.spawn("sh", env=lab.environment, cwd=str(lab.folder), timeout=LIMIT)
    shell.expect_exact(["$ ", "# "])
    shell.setecho(True)
    before = modes(shell)
    shell.sendline(f"{RUNNER[0]} -m runner console own -i lab.yaml; echo status=$?")
    shell.expect_exact("U-Boot SPL")
    shell.send(b"\x1d.")
    shell.expect_exact("status=0")
    shell.expect_exact(["$ ", "# "])
    after = modes(shell)
    shell.close(force=True)
    assert after == before
    return after


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(lab: Lab, number: signal.Signals) -> None:
    script = f"{RUNNER[0]} -m runner console own -i lab.yaml; echo status=$?; cat"
    terminal = pexpect.spawn("sh", ["-c", script], env=lab.environment, cwd=str(lab.folder), timeout=LIMIT)
    before = modes(terminal)
    terminal.expect_exact("U-Boot SPL")
    wait_until(lambda: modes(terminal) != before, "the terminal is raw")
    os.kill(child_of(terminal.pid), number)
    terminal.expect_exact(f"-- ended by {number.name}\r\n")
    terminal.expect_exact(f"status={128 + number}")

    assert modes(terminal) == before
    terminal.close(force=True)


def child_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return int(children[0])


def test_a_killed_session_leaves_the_bench_free_and_no_process(lab: Lab) -> None:
    terminal = lab.terminal("desk")
    terminal.expect_exact("sim login: ")
    (offer,) = lab.offered("desk")
    agent = int(offer.name.rsplit("@", 1)[1].partition(".")[0])
    assert not lab.free("desk")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.close()

    wait_until(lambda: lab.free("desk"), "the bench is free")
    wait_until(lambda: not Path(f"/proc/{agent}").exists(), "the agent is gone")
    assert lab.offered("desk") == []


def test_a_script_gets_exactly_what_the_board_says_and_so_does_the_log(lab: Lab) -> None:
    done = lab.run("console", "own", "--after", "any key", "--until", "GNU ld.*\\n", typed=b"\nversion\n")

    assert done.returncode == 0, done.stderr
    assert b"=> version\r\n" in done.stdout
    assert lab.logs() == [done.stdout]


UNTIL = ("--after", "any key", "--until", "it is arm\r\n")


@pytest.mark.peer("qemu")
def test_a_script_talks_to_a_real_uboot(lab: Lab) -> None:
    done = subprocess.run(
        [*RUNNER, "console", "qemu-uboot", "-i", str(ROOT / "inventory"), *UNTIL],
        cwd=lab.folder,
        env=lab.environment,
        input=b"\necho it is $arch\n",
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert b"\r\nit is arm\r\n" in done.stdout


def test_a_script_is_told_when_the_board_does_not_say_it_in_time(lab: Lab) -> None:
    done = lab.run("console", "own", "--until", "never said", "--timeout", "1s", typed=b"x")

    assert done.returncode == 1
    assert done.stderr == b"error: 'never said' did not come within 1s (--timeout, --until)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nosuch",), "nosuch"),
        (("own", "bord"), "bench 'own' has no device 'bord'"),
        (("own", "board.power"), "does not offer Console"),
        (("own", "--escape", "q"), "'q' is no key for commands"),
        (("own", "--until", "("), "is no regular expression"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_moves(
    lab: Lab, arguments: tuple[str, ...], message: str
) -> None:
    done = lab.run("console", *arguments)

    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert lab.logs() == []


def test_a_run_can_be_watched_but_not_disturbed(lab: Lab) -> None:
    play = lab.play(PLAYED)
    wait_until(lambda: lab.offered("desk") != [], "the console is offered")
    terminal = lab.terminal("desk")
    terminal.expect_exact("console board.console of bench desk, in use by a run, read only (--steal")
    terminal.expect_exact("the play 42 is here")
    terminal.send(b"typed by hand")
    terminal.expect_exact("-- read only: a run holds this bench; --steal takes the input")
    typed = lab.run("console", "desk", typed=b"typed by hand\n")
    terminal.send(b"\x1dq")
    terminal.expect(pexpect.EOF)

    assert typed.returncode == 4
    assert b"--steal takes the input" in typed.stderr
    assert play.poll() is None
    assert [text for text in lab.said() if "input" in text] == []


def test_the_input_of_a_run_can_be_taken_and_its_events_say_by_whom(lab: Lab) -> None:
    play = lab.play(PLAYED)
    wait_until(lambda: lab.offered("desk") != [], "the console is offered")
    watcher = lab.terminal("desk")
    watcher.expect_exact("the play 42 is here")
    thief = lab.terminal("desk", "--steal")
    thief.expect_exact("in use by a run\r\n")
    thief.send(b"echo typed by hand\r")
    thief.expect_exact("typed by hand")
    watcher.expect_exact("-- the console was closed\r\n")
    watcher.expect(pexpect.EOF)
    thief.expect(pexpect.EOF)
    output, _ = play.communicate(timeout=LIMIT)

    assert play.returncode == 0, output.decode()
    taken, given_back = (text for text in lab.said() if "input" in text)
    assert taken.startswith("console board.console of bench desk: input taken by ")
    assert given_back.endswith(" 19 bytes typed")


def test_a_reader_that_has_stopped_does_not_stop_the_run(lab: Lab) -> None:
    play = lab.play(LOUD)
    wait_until(lambda: lab.offered("desk") != [], "the console is offered")
    slow = lab.start("console", "desk", "--linger", "90s")
    wait_until(lambda: bool(lab.logs()), "the slow one is attached")
    os.kill(slow.pid, signal.SIGSTOP)
    taking = ("--steal", "--after", "ready 2", "--linger", "100ms")
    thief = lab.run("console", "desk", *taking, typed=b"echo it has stopped\r")
    played, _ = play.communicate(timeout=LIMIT)
    os.kill(slow.pid, signal.SIGCONT)
    said, _ = slow.communicate(timeout=LIMIT)

    assert thief.returncode in {0, 3}
    assert play.returncode == 0, played.decode()
    assert slow.returncode == 3
    assert said.endswith(b"too slow\n")
