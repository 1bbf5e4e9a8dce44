"""Instruments of a lab host that is reached over SSH, and whose network only it can reach."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.cable import machine
from support.command import interrupt, runner, started
from support.far_services import far_services
from support.message_bus import LAMP, PATH
from support.reports import Report
from support.ssh_lab import inventory
from support.ssh_server import SshServer, ssh_server

pytestmark = [pytest.mark.peer("sshd"), pytest.mark.peer("netns"), pytest.mark.peer("dbus-daemon")]
CONTENT = b"measured\n" * 40_000
ASK = '''"""Asks a port of this machine."""

import socket

from runner.api import Context, Failed, Module, Result, arg


class Said(Result):
    """What was said."""

    text: str


class Ask(Module):
    """Connect, send, and read so far."""

    runs_on = "controller"
    address: str = arg(primary=True, help="where")
    text: str = arg(help="what is sent")
    until: str = arg(help="what the answer ends with, at least for now")

    def run(self, context: Context) -> Said:
        """Ask."""
        with socket.socket(socket.AF_UNIX if "/" in self.address else socket.AF_INET) as asked:
            asked.settimeout(60)
            host, _, port = self.address.rpartition(":")
            asked.connect(self.address if "/" in self.address else (host, int(port)))
            asked.sendall(self.text.encode())
            heard = ""
            while self.until not in heard:
                data = asked.recv(999)
                if not data:
                    raise Failed(f"only {heard!r} came")
                heard += data.decode()
            return Said(text=heard)
'''
RECIPE = f"""
params: {{folder: {{type: str}}}}
defaults:
  dbus_call: &lamp {{service: {LAMP}, path: {PATH}, interface: {LAMP}}}
  dbus_get: *lamp
  dbus_set: *lamp
tests:
  - test: bus
    steps:
      - dbus_call: {{method: Blink, args: [3, [red, green]]}}
        expect: result.value == '3 times red/green'
      - dbus_wait_signal: {{member: Blinked, interface: {LAMP}, args: {{0: 3}}}}
        expect: result.args | list == [3, 'red,green']
      - dbus_set: {{property: Brightness, value: 42}}
        expect: result.changed and result.value == 42
      - dbus_get: {{property: Brightness}}
        expect: result.value == 42
  - test: network
    steps:
      - net_address: {{device: "{{{{ item }}}}"}}
        expect: result.url.split(':')[0] in [item, 'ws']
        loop: [tcp, udp, unix, websocket]
      - net_wait: {{device: "{{{{ item }}}}", banner: '^READY 1'}}
        loop: [tcp, unix]
      - net_wait: {{device: websocket}}
      - block:
          - net_send: {{device: "{{{{ item }}}}", text: "volts 4.97\\n"}}
          - net_expect: {{device: "{{{{ item }}}}", pattern: 'volts (?P<volts>[0-9.]+)', within: 60s}}
            expect: result.groups.volts == '4.97'
        loop: [tcp, udp, unix, websocket]
  - test: forwards
    setup:
      - port_forward: {{to: tcp}}
        register: tcp
      - port_forward: {{to: unix, listen: "{{{{ folder }}}}/here"}}
        register: unix
      - port_forward: websocket
        register: web
    steps:
      - ask: {{address: "{{{{ item }}}}", text: over there, until: over there}}
        expect: "result.text == 'READY 1.2\\nover there'"
        loop: ["{{{{ tcp.address }}}}", "{{{{ unix.address }}}}"]
      - ask: {{address: "{{{{ web.address }}}}", text: "GET / HTTP/1.0\\r\\n\\r\\n", until: websockets}}
      - assert: unix.address == folder ~ '/here' and unix.to == 'unix'
  - test: command
    steps:
      - host_command: {{name: talk, args: ["{{{{ folder }}}}/go"]}}
        expect: result.stdout is search('198.18.7.2') and result.stdout is search('it went on')
  - test: board
    steps:
      - ssh_copy: {{put: content, to: "{{{{ folder }}}}/board/", mode: "640"}}
        expect: result.sha256 == '{hashlib.sha256(CONTENT).hexdigest()}' and result.size == {len(CONTENT)}
      - ssh_command: 'sha256sum < {{{{ folder }}}}/board/content; echo from $SSH_CONNECTION'
        expect: result.stdout is search('from 198.18.7.2 .* 198.18.7.2 ')
    teardown:
      - ssh_copy: {{get: "{{{{ folder }}}}/board/content"}}
        expect: result.sha256 == '{hashlib.sha256(CONTENT).hexdigest()}'
"""


@dataclass(frozen=True)
class Played:
    folder: Path
    lab: str
    server: SshServer
    text: str
    went: list[str]
    """What was printed before the command on the host was let go on."""

    @property
    def outcomes(self) -> dict[str, str]:
        return Report(self.folder / "results" / "latest").outcomes


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("far")
    for name in ("modules", "board", "services"):
        (folder / name).mkdir()
    (folder / "modules" / "ask.py").write_text(ASK, encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "content").write_bytes(CONTENT)
    with (
        machine(7) as far,
        ssh_server(folder / "shelf", address=far.address, inside=far.inside) as server,
        far_services(folder / "services", far.inside) as devices,
    ):
        board = {"driver": "ssh", "host": server.address, "port": server.port}
        board |= {"identity_file": str(server.identity), "limit": "60s"}
        talk = 'hostname -I; echo before; while [ ! -e "$1" ]; do sleep 0.02; done; echo it went on'
        commands = {"talk": {"script": talk, "limit": "60s"}}
        devices |= {"board": board, "shelf": {"driver": "shell", "commands": commands}}
        lab = inventory(folder, {"shelf": server.options()}, {"far": {"host": "shelf", "devices": devices}})
        text, went = play(folder, lab)
        yield Played(folder, lab, server, text, went)


def play(folder: Path, lab: str) -> tuple[str, list[str]]:
    """Play; let the command on the host go on when what it says has come here. Return what was printed."""
    went: list[str] = []
    lines: list[str] = []
    with started(folder, "play", "recipe.yaml", "-i", lab, "-e", f"folder={folder}", "-vv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            lines.append(line)
            if "before" in line and not went:
                went = lines.copy()
                (folder / "go").touch()
        text = "".join(lines) + process.stderr.read()
    assert process.returncode in {0, 1}, text
    return text, went


def test_a_bus_of_the_host_is_called_read_written_and_listened_to(played: Played) -> None:
    assert played.outcomes["bus"] == "passed", played.text


def test_what_listens_in_the_hosts_network_is_found_and_talked_to(played: Played) -> None:
    assert played.outcomes["network"] == "passed", played.text


def test_a_forward_leads_to_a_device_of_the_network_by_its_name(played: Played) -> None:
    assert played.outcomes["forwards"] == "passed", played.text
    assert not (played.folder / "here").exists()


def test_what_a_command_of_the_host_says_is_here_before_it_ends(played: Played) -> None:
    assert played.outcomes["command"] == "passed", played.text
    assert played.went
    assert not [line for line in played.went if "it went on" in line]


def test_a_file_goes_to_the_board_through_the_host_and_comes_back_as_an_artifact(played: Played) -> None:
    kept = list((played.folder / "results" / "latest" / "artifacts").rglob("content*"))

    assert played.outcomes["board"] == "passed", played.text
    assert [each.read_bytes() for each in kept] == [CONTENT]
    assert (played.folder / "board" / "content").read_bytes() == CONTENT
    assert re.search(r"Accepted publickey for \S+ from 198\.18\.7\.2 ", played.server.log())


def test_devices_are_forwarded_by_hand_by_their_names(played: Played) -> None:
    here = played.folder / "by_hand"
    arguments = ("forward", "far", "tcp", f"{here}=unix", "-i", played.lab, "-o", "json")
    with started(played.folder, *arguments) as process, contextlib.ExitStack() as stack:
        stack.callback(process.kill)  # where it does not end by itself, the test does
        assert process.stdout is not None
        opened = json.loads(process.stdout.readline())
        for each in opened:
            assert talked(each["listen"]) == b"READY 1.2\nhello"
        interrupt(process)
        assert process.wait(60) == 0
    assert [each["to"] for each in opened] == ["tcp", "unix"]
    assert not here.exists()


def talked(address: str) -> bytes:
    with contextlib.closing(socket.socket(socket.AF_UNIX if "/" in address else socket.AF_INET)) as made:
        made.settimeout(60)
        host, _, port = address.rpartition(":")
        made.connect(address if "/" in address else (host, int(port)))
        made.sendall(b"hello")
        made.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: made.recv(999), b""))


def test_a_device_that_speaks_neither_tcp_nor_a_unix_socket_is_not_forwarded(played: Played) -> None:
    done = runner(played.folder, "forward", "far", "udp", "-i", played.lab)
    port: Any = json.loads(Path(played.lab).read_text(encoding="utf-8"))["benches"]["far"]["devices"]["udp"]

    assert done.returncode == 3
    told = f"device 'udp' is udp://127.0.0.1:{port['port']}: only TCP ports and Unix sockets are forwarded"
    assert told in done.stderr
