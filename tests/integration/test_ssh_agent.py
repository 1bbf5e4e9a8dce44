"""The agent on a real OpenSSH server: how it starts, what a step costs, how it dies."""

import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import wait_until
from support.relay import relay
from support.ssh_lab import PROBES, SHOWN, SshLab, tree
from support.ssh_server import PYTHON, SshServer, ssh_server

from runner.agent.calls import Configure, Run, Said, Take
from runner.api import Failed, LabError
from runner.connect import remote, ssh
from runner.connect.bootstrap import RemoteAgent, payload, the_rest
from runner.connect.channel import Channel
from runner.connect.link import Crash
from runner.connect.process import Child
from runner.connect.route import route
from runner.connect.ssh_config import SshConfig
from runner.engine.cancel import Cancellation
from runner.model import Host

COMMAND = "runner.modules.core.command:Command"
LIMIT = 60.0
SHELLS = ("dash", "bash", "fish", "zsh", "busybox")
pytestmark = pytest.mark.peer("sshd")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


@pytest.fixture
def lab(server: SshServer) -> Iterator[SshLab]:
    it = SshLab(server)
    it.configure()
    yield it
    it.agent.close()


def pids(lab: SshLab) -> tuple[int, int]:
    """Return the process of the agent and that of its warden."""
    agent, warden = lab.run("Processes")
    return agent, warden


# --- start ---------------------------------------------------------------------------------------


def test_what_was_pushed_runs_there_with_nothing_of_ours_installed(lab: SshLab) -> None:
    found = lab.run("Interpreter")

    assert found["executable"] == PYTHON
    assert found["file"] == SHOWN
    assert not any("site-packages" in each for each in found["path"])


def test_a_crash_there_shows_the_authors_file_and_line(lab: SshLab) -> None:
    with pytest.raises(Crash) as caught:
        lab.run("Raises")
    assert f'File "{SHOWN}", line ' in caught.value.traceback


def test_no_file_is_written_on_the_host(server: SshServer) -> None:
    before = tree(server.home, server.temporary)
    lab = SshLab(server)
    lab.configure()
    lab.run("Nothing")
    lab.agent.close()

    assert tree(server.home, server.temporary) == before


@pytest.mark.skipif(
    not pwd.getpwuid(os.getuid()).pw_shell.endswith("bash"),
    reason="of the shells, bash reads a file under sshd",
)
def test_a_profile_that_talks_is_skipped_and_told(server: SshServer) -> None:
    (server.home / ".bashrc").write_text(
        "echo welcome to the lab; echo mind the step >&2\n", encoding="utf-8"
    )
    lab = SshLab(server)
    lab.configure()
    assert lab.run("Echo", text="x", number=1) == ["x", 1]
    lab.agent.close()

    texts = [each.text for each in lab.said]
    assert Said(text="printed before the agent began: 'welcome to the lab'", level="debug") in lab.said
    assert "mind the step" in texts


@pytest.mark.parametrize(
    "shell",
    ["sh", *(pytest.param(each, marks=pytest.mark.peer(each)) for each in SHELLS)],
)
def test_every_shell_starts_it_also_behind_noise(shell: str) -> None:
    words = ("busybox", "sh", "-c") if shell == "busybox" else (shell, "-c")
    sent, said = payload(), []
    command = f"echo noise; {sent.command(PYTHON)}"
    child = Child((*words, command), said.append, name=shell)
    agent = RemoteAgent(child, sent, said.append, python=PYTHON)
    channel = Channel(agent, the_rest((), {}), print, print, name=shell)
    try:
        channel.call(Configure("b", {}), lambda _heard: None, Cancellation())
    finally:
        channel.lose("was closed")
        channel.join(LIMIT)
        agent.release()
    assert said == [Said(text="printed before the agent began: 'noise'", level="debug")]


def test_a_home_that_cannot_be_written_and_a_missing_tmp_do_not_matter(tmp_path: Path) -> None:
    with ssh_server(tmp_path / "bare", SetEnv="HOME=/proc TMPDIR=/proc/nowhere") as server:
        lab = SshLab(server)
        lab.configure()
        assert lab.run("Echo", text="x", number=2) == ["x", 2]
        lab.agent.close()


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("/nowhere/python3", "'/nowhere/python3' cannot be run there (.*; install Python 3.10 or newer"),
        ("old", "is Python 3.9 there, and 3.10 is needed"),
        ("talks", "it had not begun: exit status 3.* printed: 'this account is not available'"),
    ],
)
def test_why_no_agent_began_is_said(server: SshServer, tmp_path: Path, python: str, told: str) -> None:
    scripts = {
        "old": "echo 'runner needs Python 3.10, and this is 3.9' >&2; exit 1",
        "talks": "echo this account is not available; exit 3",
    }
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{scripts.get(python, '')}\n", encoding="utf-8")
    program.chmod(0o755)
    lab = SshLab(server, python=str(program) if python in scripts else python)
    with pytest.raises(LabError) as caught:
        lab.configure()
    lab.agent.close()

    assert caught.match(told.replace("there (", r"there \("))
    assert "the agent of host 'shelf1' died: " in lab.agent.lost


# --- round trips -----------------------------------------------------------------------------------


def test_a_step_is_one_round_trip_and_the_start_three(server: SshServer) -> None:
    rest = the_rest((COMMAND,), {})
    with relay(server.port) as counted:
        known = server.known.read_text(encoding="utf-8").replace(f":{server.port} ", f":{counted.port} ")
        server.known.write_text(known, encoding="utf-8")
        options = server.options(port=counted.port)
        connection = ssh.connect(route(Host(name="shelf1", options=options), {}, SshConfig()))
        logged_in, counted.silence = counted.asked, 0.5
        sent = payload()
        pipe = ssh.Remote(connection, sent.command(PYTHON), print, name="shelf1")
        agent = RemoteAgent(pipe, sent, print, python=PYTHON)
        channel = Channel(agent, rest, print, print, name="shelf1")
        cancel, hear = Cancellation(), print
        channel.call(Take("b", "a test", configure=Configure("b", {})), hear, cancel)
        began, counted.silence = counted.asked, 0.0
        steps = 50
        for _ in range(steps):
            channel.call(Run("b", COMMAND, {"command": ["true"]}, {}, 60.0), hear, cancel)
        ended = counted.asked
        channel.lose("was closed")
        channel.join(LIMIT)
        agent.release()

    assert began - logged_in == 3
    assert ended - began == steps


# --- life and death --------------------------------------------------------------------------------


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_closing_ends_the_agent_and_all_that_it_started(lab: SshLab) -> None:
    everything = [*pids(lab), *lab.run("Spawns")]
    lab.agent.close()

    wait_until(lambda: all(gone(each) for each in everything), "everything there has ended", LIMIT)


def test_a_killed_agent_is_noticed_at_once_and_says_how_it_died(lab: SshLab) -> None:
    agent, _ = pids(lab)
    children = lab.run("Spawns")
    os.kill(agent, signal.SIGKILL)

    wait_until(lambda: bool(lab.agent.lost), "the agent's death is noticed", LIMIT)
    assert lab.agent.lost == "the agent of host 'shelf1' died: killed by SIGKILL"
    wait_until(lambda: all(gone(each) for each in children), "its children have ended", LIMIT)
    with pytest.raises(LabError, match="killed by SIGKILL"):
        lab.run("Nothing")


def test_when_the_servers_process_is_killed_the_agent_closes_its_devices_and_ends(
    server: SshServer, tmp_path: Path
) -> None:
    diary = tmp_path / "diary"
    lab = SshLab(server)
    lab.configure(plug=("Plug", {"diary": str(diary)}))
    lab.run("Switch", {"power": "plug"})
    everything = [*pids(lab), *lab.run("Spawns")]
    (session,) = (parent_of(each) for each in (pids(lab)[1],))
    os.kill(session, signal.SIGKILL)

    wait_until(lambda: bool(lab.agent.lost), "the loss is noticed", LIMIT)
    assert lab.agent.lost == "the agent of host 'shelf1' died: the connection to host 'shelf1' was lost"
    wait_until(lambda: all(gone(each) for each in everything), "everything there has ended", LIMIT)
    assert diary.read_text(encoding="utf-8").split() == ["open", "on", "close"]
    lab.agent.close()


def parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def test_a_stopped_agent_is_taken_for_dead_within_thirty_seconds(server: SshServer) -> None:
    lab = SshLab(server)
    lab.configure()
    everything = pids(lab)
    os.kill(everything[0], signal.SIGSTOP)

    wait_until(lambda: bool(lab.agent.lost), "silence is noticed", 120)
    assert lab.agent.lost.startswith("the agent of host 'shelf1' gave no sign of life for 20s: ")
    assert remote._SILENCE + ssh._ENDS_WITHIN < 30
    wait_until(lambda: all(gone(each) for each in everything), "everything there has ended", LIMIT)
    lab.agent.close()


def test_a_failed_module_is_a_verdict_there_as_here(lab: SshLab) -> None:
    with pytest.raises(Failed):
        lab.run("Fails")
    assert lab.ask(Run("b", f"{PROBES}:Nothing", {}, {}, 60.0)) is None
