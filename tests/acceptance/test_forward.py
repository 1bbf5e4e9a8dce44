"""Forwards as a person uses them: in recipes, and by hand."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import LIMIT, interrupt, runner, started
from support.ssh_server import free_ports

ASK = '''"""Asks a port."""

import socket

from runner.api import Context, Module, Result, arg


class Said(Result):
    """What was said."""

    text: str


class Ask(Module):
    """Connect and read to the end."""

    runs_on = "controller"
    address: str = arg(primary=True, help="where")

    def run(self, context: Context) -> Said:
        """Read."""
        host, _, port = self.address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), 60) as asked:
                return Said(text=b"".join(iter(lambda: asked.recv(99), b"")).decode())
        except ConnectionRefusedError:
            return Said(text="refused")
'''
ASKING = "import os, socket, sys; s = socket.create_connection((os.environ['RUNNER_FORWARD_2_HOST'], int(os.environ['RUNNER_FORWARD_2_PORT']))); print(s.recv(9).decode(), os.environ['RUNNER_FORWARD_1']); sys.exit(7)"


@pytest.fixture
def greeter() -> Iterator[str]:
    """Listen, and say hello to whoever connects."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(ConnectionError):  # who has left already hears nothing
                connection.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_forward_lives_as_long_as_its_play_or_test_whatever_scope_opens_it(
    tmp_path: Path, greeter: str
) -> None:
    mine, plays = (f"127.0.0.1:{port}" for port in free_ports(2))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "ask.py").write_text(ASK, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(
        f"""
- name: one
  setup:
  - port_forward: {{to: "{greeter}", listen: "{plays}"}}
    register: whole
  tests:
  - test: own
    setup:
      - port_forward: {{to: "{greeter}", listen: "{mine}"}}
        register: own
      - block:
          - port_forward: {{to: "{greeter}", reverse: true}}
            register: there
    steps:
      - ask: "{{{{ own.address }}}}"
        expect: result.text == 'hello' and own.port > 0 and own.to == '{greeter}'
      - ask: "{{{{ there.address }}}}"
        expect: result.text == 'hello'
    teardown:
      - ask: "{{{{ own.address }}}}"
        expect: result.text == 'hello'
  - test: play
    steps:
      - ask: "{{{{ whole.address }}}}"
        expect: result.text == 'hello'
      - ask: "{mine}"
        expect: result.text == 'refused'
  teardown:
  - ask: "{{{{ whole.address }}}}"
    expect: result.text == 'hello'
- name: other
  steps:
  - ask: "{plays}"
    expect: result.text == 'refused'
  - port_forward: {{to: "{greeter}", listen: "{mine}"}}
  - ask: "{mine}"
    expect: result.text == 'hello'
""",
        encoding="utf-8",
    )
    done = runner(tmp_path, "play", "recipe.yaml", "-vv")

    assert done.returncode == 0, done.stdout + done.stderr
    checked = runner(tmp_path, "play", "recipe.yaml", "--check", "-v")
    assert "would run port_forward" in checked.stdout


def test_a_forward_can_be_ended_before_its_test(tmp_path: Path, greeter: str) -> None:
    host, _, port = greeter.rpartition(":")
    (tmp_path / "lab.yaml").write_text(
        f"benches: {{desk: {{devices: {{monitor: {{driver: tcp, host: {host}, port: {port}}}}}}}}}\n",
        encoding="utf-8",
    )
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "ask.py").write_text(ASK, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(
        f"""
tests:
  - test: ended
    steps:
      - port_forward: "{greeter}"
        register: one
      - port_forward: "{greeter}"
        register: two
      - port_forward: {{to: "{{{{ one.address }}}}", state: stopped}}
      - port_forward: {{to: "{{{{ one.address }}}}", state: stopped}}
      - ask: "{{{{ one.address }}}}"
        expect: result.text == 'refused'
      - ask: "{{{{ two.address }}}}"
        expect: result.text == 'hello'
      - port_forward: {{to: "{greeter}", state: stopped}}
      - ask: "{{{{ two.address }}}}"
        expect: result.text == 'refused'
      - port_forward: monitor
        register: three
      - ask: "{{{{ three.address }}}}"
        expect: result.text == 'hello'
      - port_forward: {{to: monitor, state: stopped}}
      - ask: "{{{{ three.address }}}}"
        expect: result.text == 'refused'
""",
        encoding="utf-8",
    )
    done = runner(
        tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", "-vv", RUNNER_LOCKS=str(tmp_path / "locks")
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_forward_is_gone_with_its_run_and_a_replay_says_where_it_was(tmp_path: Path, greeter: str) -> None:
    (tmp_path / "recipe.yaml").write_text(
        f"""
tests:
  - test: first
    steps:
      - port_forward: "{greeter}"
        register: way
      - log: "way {{{{ way.address }}}} ends"
      - fail: on purpose
""",
        encoding="utf-8",
    )
    done = runner(tmp_path, "play", "recipe.yaml", "-vv")
    address = re.findall(r"way (127\S+) ends", done.stdout)[0]
    replayed = runner(tmp_path, "replay", "latest", "-vv")

    assert done.returncode == 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.rpartition(":")[0], int(address.rpartition(":")[2])))
    assert f"way {address} ends" in replayed.stdout


def test_a_program_gets_the_addresses_and_its_exit_status_is_ours(tmp_path: Path, greeter: str) -> None:
    path = tmp_path / "here.sock"
    ports = (f"{path}={greeter}", greeter)
    done = runner(tmp_path, "forward", "sim", *ports, "--", "python3", "-c", ASKING)

    assert (done.returncode, done.stdout) == (7, f"hello {path}\n"), done.stderr
    assert f"{path} -> {greeter}" in done.stderr
    assert not path.exists()


def test_by_hand_it_stays_until_ctrl_c(tmp_path: Path, greeter: str) -> None:
    with started(tmp_path, "forward", "sim", greeter, "-R", greeter, "-o", "json") as process:
        assert process.stdout is not None
        here, there = json.loads(process.stdout.readline())
        for each in (here, there):
            host, _, port = each["listen"].rpartition(":")
            with socket.create_connection((host, int(port)), 60) as connection:
                assert connection.recv(9) == b"hello"
        assert (here["to"], here["reverse"], there["reverse"]) == (greeter, False, True)
        interrupt(process)
        assert process.wait(LIMIT) == 0


def test_what_cannot_be_forwarded_is_said_before_anything_moves(tmp_path: Path) -> None:
    for arguments, code, said in (
        (("sim",), 2, "which port?"),
        (("sim", "80", "--wait", "soon"), 2, "--wait"),
        (("nobody", "80"), 2, "nobody"),
        (("sim", "80", "--", "/no/such/program"), 2, "'/no/such/program' cannot be started"),
        (("sim", "here:there"), 2, "Invalid value for 'here:there': 'here:there' is not an address"),
        (("sim", "here=80"), 2, "Invalid value for 'here=80': 'here' is not an address"),
        (("sim", "-R", "board"), 2, "Invalid value for 'board': 'board' is not an address"),
        (("sim", "bord"), 2, "forward: bench 'sim' has no device 'bord'"),
        (("sim", "board"), 2, "forward: device 'board' of bench 'sim' does not offer Network"),
    ):
        done = runner(tmp_path, "forward", *arguments)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_recipe_that_forwards_to_nothing_is_refused_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(
        """
benches: sim
steps:
  - port_forward: bord
  - port_forward: "here:there"
  - port_forward: {to: 80, listen: here}
  - port_forward: {to: board, reverse: true}
""",
        encoding="utf-8",
    )

    done = runner(tmp_path, "play", "wrong.yaml")

    assert done.returncode == 2
    for place, text in (("5:19", "here:there"), ("6:36", "here"), ("7:24", "board")):
        assert f"wrong.yaml:{place}: error[E235]: port_forward: {text!r} is not an address" in done.stderr
    assert "wrong.yaml:4:19: error[E273]: port_forward: bench 'sim' has no device 'bord'" in done.stderr
    assert "did you mean 'board'?" in done.stderr
    assert done.stderr.count("error[") == 4
    assert not (tmp_path / "results").exists()
