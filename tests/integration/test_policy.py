"""What a host allows, on real OpenSSH servers: by the agent that is sent, and by one that the host starts."""

import getpass
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import runner
from support.peers import ROOT
from support.processes import wait_until_gone
from support.ssh_lab import SIMULATED, inventory
from support.ssh_server import SshServer, make_key, ssh_server

from runner.agent.calls import Configure, DeviceSpec, Run
from runner.agent.forwarding import Connect
from runner.api import LabError
from runner.connect.bootstrap import the_rest
from runner.connect.remote import remote_agent
from runner.engine.cancel import Cancellation
from runner.model import Host

pytestmark = pytest.mark.peer("sshd")
QUICKSTART = str(ROOT / "recipes" / "quickstart.yaml")
ME = getpass.getuser()
EVIL = "class Evil:\n    def run(self, context):\n        return 'ran'\n"


class Guarded:
    """A server whose only keys start the installed agent: for ana, and for bob."""

    def __init__(self, server: SshServer) -> None:
        self.server = server
        self.policy = server.folder / "policy.conf"
        make_key(server.folder / "bob")
        self.forced(f"{sys.executable} -I -m runner.agent.guarded --policy {self.policy}")

    def forced(self, command: str) -> None:
        lines = [
            f'command="{command} --as {name}",restrict {key.read_text(encoding="utf-8")}'
            for name, key in (
                ("ana", self.server.folder / "identity.pub"),
                ("bob", self.server.folder / "bob.pub"),
            )
        ]
        (self.server.folder / "authorized_keys").write_text("".join(lines), encoding="utf-8")

    def says(self, text: str) -> None:
        self.policy.write_text(text, encoding="utf-8")

    def agent(self, sources: dict[str, tuple[str, str]], said: list[Any], **options: Any) -> Any:
        host = Host(name="shelf1", options=self.server.options(**options))
        return remote_agent(host, {}, sources=lambda: sources, console=said.append, heard=said.append)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with ssh_server(tmp_path / "shelf1") as server:
        yield Guarded(server)


def ask(agent: Any, request: Any) -> Any:
    return agent.call(request, lambda _heard: None, cancel=Cancellation())


def played(folder: Path, server: SshServer, recipe: str, text: str = "", **options: Any) -> Any:
    lab = inventory(
        folder, {"shelf1": server.options(**options)}, {"sim-01": {"host": "shelf1", **SIMULATED}}
    )
    path = folder / recipe
    if text:
        path.write_text(text, encoding="utf-8")
    return runner(folder, "play", str(path), "-i", lab)


# --- the agent that is sent ----------------------------------------------------------------------


def test_the_hosts_policy_refuses_a_bench_before_anything_moves_and_a_module_when_it_comes(
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.conf"
    settings = f"HOME={tmp_path} RUNNER_LOCKS={tmp_path} RUNNER_POLICY={policy}"
    recipe = "steps:\n  - power_on:\n  - command: touch evidence\n"
    with ssh_server(tmp_path / "shelf1", SetEnv=settings) as server:
        policy.write_text(f"modules = *\nusers = {ME}\n", encoding="utf-8")
        stopped = played(tmp_path, server, "recipe.yaml", recipe)
        forward = played(tmp_path, server, "recipe.yaml", "steps:\n  - port_forward: 22\n")
        policy.write_text("users = *\nusers = nobody\n", encoding="utf-8")
        broken = played(tmp_path, server, "recipe.yaml", recipe)
        policy.write_text("max_hold = 1h\n\nusers = nobody\n", encoding="utf-8")
        refused = played(tmp_path, server, "recipe.yaml", recipe)

    assert forward.returncode == 3
    assert f"a forward to or at localhost:22 is not allowed to user '{ME}'" in forward.stdout
    assert stopped.returncode == 3
    assert f"{policy} (default): commands = no" in stopped.stdout
    assert "'commands = yes' allows that" in stopped.stdout
    assert not (tmp_path / "evidence").exists()
    assert refused.returncode == 4
    assert f"the host is not allowed to user '{ME}' on host" in refused.stdout
    assert f"{policy}:3: users = nobody" in refused.stdout
    assert broken.returncode == 4
    assert f"{policy}:2: users stands in {policy}:1 already" in broken.stdout


def test_commands_of_ones_own_run_where_the_policy_allows_them_by_hand_and_in_recipes(tmp_path: Path) -> None:
    policy = tmp_path / "policy.conf"
    settings = f"HOME={tmp_path} RUNNER_LOCKS={tmp_path} RUNNER_POLICY={policy}"
    recipe = """
steps:
  - command: {command: 'echo "$COLOUR"; sleep 600 & echo $! > pid; wait', chdir: %s, env: {COLOUR: red}, timeout: 1s}
    register: late
    expect_error: {class: timeout}
  - command: [printf, '%%s', 'a b']
    register: ran
    expect: ran.stdout == 'a b' and ran.stderr == '' and ran.status == 0 and not ran.timed_out and ran.elapsed > 0
  - command: test -n "$SSH_CONNECTION"
"""
    with ssh_server(tmp_path / "shelf1", SetEnv=settings) as server:
        policy.write_text(f"commands = no\n[user {ME}]\ncommands = yes\n", encoding="utf-8")
        allowed = played(tmp_path, server, "recipe.yaml", recipe % tmp_path)
        policy.write_text("modules = *\ncommands = no\n", encoding="utf-8")
        lab = inventory(tmp_path, {"shelf1": server.options()}, {"b": {"host": "shelf1", **SIMULATED}})
        refused = runner(tmp_path, "do", "b", "command", "touch evidence", "-i", lab)

    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    wait_until_gone(int((tmp_path / "pid").read_text(encoding="utf-8")))
    assert refused.returncode == 3
    assert f"module 'command' is not allowed to user '{ME}' on host" in refused.stdout
    assert f"{policy}:2: commands = no" in refused.stdout
    assert not (tmp_path / "evidence").exists()


def test_an_inventory_can_ask_for_a_policy_which_must_be_there(tmp_path: Path) -> None:
    policy = tmp_path / "strict.conf"
    with ssh_server(tmp_path / "shelf1") as server:
        missing = played(tmp_path, server, "recipe.yaml", "steps:\n  - power_on:\n", policy=str(policy))
        policy.write_text("modules = power_off\n", encoding="utf-8")
        refused = played(tmp_path, server, "recipe.yaml", "steps:\n  - power_on:\n", policy=str(policy))
    here = runner(
        tmp_path, "do", "b", "power_on", "-i", inventory(
            tmp_path, {"localhost": {"policy": str(policy)}}, {"b": {"devices": {"power": {"driver": "mock"}}}}
        ),
    )  # fmt: skip

    assert (missing.returncode, refused.returncode, here.returncode) == (4, 3, 3)
    assert f"has no policy {policy}, and its inventory wants that obeyed" in missing.stdout
    for each in (refused, here):
        assert f"module 'power_on' is not allowed to user '{ME}'" in each.stdout
        assert f"{policy}:1: modules = power_off" in each.stdout


def test_the_host_takes_a_bench_back_when_its_policy_says_so_whatever_the_run_asks_for(
    tmp_path: Path,
) -> None:
    policy = tmp_path / "policy.conf"
    policy.write_text("max_hold = 1s\ndevices = /dev/null\n", encoding="utf-8")
    settings = f"HOME={tmp_path} RUNNER_LOCKS={tmp_path} RUNNER_POLICY={policy}"
    (tmp_path / "recipe.yaml").write_text("steps:\n  - wait: 60s\n  - log: late\n", encoding="utf-8")
    with ssh_server(tmp_path / "shelf1", SetEnv=settings) as server:
        disk = {"driver": "file", "path": "/dev/null"}
        benches = {"b": {"host": "shelf1", "max_hold": "1h", "devices": {"disk": disk}}}
        lab = inventory(tmp_path, {"shelf1": server.options()}, benches)
        done = runner(tmp_path, "play", "recipe.yaml", "-i", lab)
        kept = runner(tmp_path, "reserve", "b", "--for", "10m", "-i", lab)

    assert done.returncode == 3
    assert f"given back by its host after 1s: the host's {policy}:1: max_hold = 1s is over" in done.stdout
    assert kept.returncode != 0
    assert f"bench 'b' for 10m is not allowed to user '{ME}'" in kept.stderr


# --- the agent that the host starts --------------------------------------------------------------


def test_recipes_play_on_a_host_whose_key_starts_nothing_but_the_installed_agent(
    guarded: Guarded, tmp_path: Path
) -> None:
    guarded.says("users = ana\ncode = installed\nmax_hold = 1h\n")
    lab = inventory(
        tmp_path, {"shelf1": guarded.server.options()}, {"sim-01": {"host": "shelf1", **SIMULATED}}
    )
    done = runner(tmp_path, "play", QUICKSTART, "-i", lab)
    bob = guarded.server.options(identity_file=str(guarded.server.folder / "bob"))
    other = runner(tmp_path, "play", QUICKSTART, "-i", inventory(
        tmp_path, {"shelf1": bob}, {"sim-01": {"host": "shelf1", **SIMULATED}}
    ))  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert other.returncode == 4
    assert "not allowed to user 'bob'" in other.stdout


def test_such_a_key_runs_no_program_and_nothing_of_what_is_sent(guarded: Guarded, tmp_path: Path) -> None:
    guarded.says("code = own\n")
    evidence = tmp_path / "evidence"
    packed = zlib.compress(json.dumps([f"open({str(evidence)!r}, 'w')", {}, "no mark\n"]).encode())
    begin = f"exec python3 -I -c 'while len(d)<{len(packed)}:pass'"
    for command, data in ((f"touch {evidence}", b""), (begin, packed), (begin, bytes(len(packed)))):
        done = subprocess.run(
            ["ssh", "-i", str(guarded.server.identity), "-p", str(guarded.server.port), "-F", "none",
             "-o", f"UserKnownHostsFile={guarded.server.known}", f"{ME}@127.0.0.1", command],
            input=data, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(b"runner: "), done.stderr
    assert not evidence.exists()


def test_a_controller_that_was_changed_gets_nothing_past_the_policy(guarded: Guarded, tmp_path: Path) -> None:
    guarded.says("code = built-in\nmodules = power_*, evil, popen\n")
    allow_all = "class Rules:\n    def __init__(self, environment):\n        raise SystemExit('replaced')\n"
    sources = {
        "evil": ("evil.py", EVIL),
        "runner.modules.power.evil": ("evil.py", EVIL),
        "runner.agent.policy": ("policy.py", allow_all),
        **the_rest((), {}),
    }
    said: list[Any] = []
    agent = guarded.agent(sources, said)
    evidence = tmp_path / "evidence"
    mock = DeviceSpec("mock", "runner.modules.power.mock:Mock", {})
    web = DeviceSpec("tcp", "runner.modules.network.tcp:Tcp", {"host": "10.0.0.1", "port": 22})
    try:
        ask(agent, Configure("b", {"power": mock, "web": web}))
        assert ask(agent, Run("b", "runner.modules.power.power_on:PowerOn", {}, {"power": "power"}, 60.0))
        for path, arguments, refusal in (
            ("evil:Evil", {}, "code from 'evil' is not allowed to user 'ana'"),
            ("subprocess:Popen", {"args": ["touch", str(evidence)]}, "code from 'subprocess' is not allowed"),
            ("runner.modules.power.evil:Evil", {}, "No module|no Python module"),
            ("runner.modules.core.command:Command", {"command": f"touch {evidence}"}, "'command' is not all"),
        ):
            with pytest.raises(LabError, match=refusal):
                ask(agent, Run("b", path, arguments, {}, 60.0))
        with pytest.raises(LabError, match=f"{guarded.policy} .default.: forwards = "):
            ask(agent, Connect("b", "localhost:22"))
        with pytest.raises(LabError, match="a forward to or at 10.0.0.1:22 is not allowed"):
            ask(agent, Connect("b", "web", ask=True))
        for option, refusal in (("file", "devices = /dev/"), ("command", "commands = no")):
            spec = DeviceSpec(option, f"runner.modules.{'storage.file:File' if option == 'file' else 'power.command:Command'}",
                              {"path": str(evidence)} if option == "file" else {"turn_on": "x", "turn_off": "y"})  # fmt: skip
            with pytest.raises(LabError, match=refusal):
                ask(agent, Configure("c", {"d": spec}))
    finally:
        agent.close()
    assert not evidence.exists()


def test_users_own_modules_come_along_only_where_the_policy_says_so(guarded: Guarded, tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "hello.py").write_text(
        '"""Says hello."""\nfrom runner.api import Context, Module\n\n\nclass Hello(Module):\n'
        '    """Say hello."""\n\n    def run(self, context: Context) -> None:\n'
        "        context.log('hello from there')\n",
        encoding="utf-8",
    )
    guarded.says("code = own\n")
    done = played(tmp_path, guarded.server, "recipe.yaml", "steps:\n  - hello:\n")
    guarded.says("code = built-in\n")
    refused = played(tmp_path, guarded.server, "recipe.yaml", "steps:\n  - hello:\n")

    assert done.returncode == 0, done.stdout
    assert refused.returncode == 3
    assert f"{guarded.policy}:1: code = built-in" in refused.stdout


def test_a_guarded_agent_without_a_policy_serves_nobody(guarded: Guarded, tmp_path: Path) -> None:
    done = played(tmp_path, guarded.server, "recipe.yaml", "steps:\n  - power_on:\n")

    assert done.returncode == 3
    assert f"there is no policy {guarded.policy}" in done.stdout
