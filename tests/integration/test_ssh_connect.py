"""Connecting to real OpenSSH servers: the way there, host keys, logging in, and how each of them fails."""

import getpass
import os
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.relay import relay
from support.ssh_lab import SshLab
from support.ssh_server import SshServer, free_port, make_key, output, ssh_server

from runner.api import LabError
from runner.api.values import Secret
from runner.api.verdicts import Unreachable
from runner.connect import ssh
from runner.connect.openssh import start
from runner.connect.route import route
from runner.connect.ssh_config import SshConfig
from runner.model import Host

pytestmark = pytest.mark.peer("sshd")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf2") as it:
        yield it


def reach(options: dict[str, Any], config: Path = Path("/nowhere"), name: str = "shelf1") -> ssh.Connection:
    hops = route(Host(name=name, options=options), {}, SshConfig(config, Path("/nowhere")))
    return ssh.connect(hops)


def refusal(options: dict[str, Any], config: Path = Path("/nowhere")) -> LabError:
    with pytest.raises(LabError) as caught:
        reach(options, config).close()
    return caught.value


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# --- the connection --------------------------------------------------------------------------------


def test_the_fast_cipher_and_a_socket_without_delay_are_used(server: SshServer) -> None:
    connection = reach(server.options())
    transport = connection.transport

    assert transport.remote_cipher == "aes128-gcm@openssh.com"
    assert transport.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    connection.close()


# --- what is told apart ----------------------------------------------------------------------------


def test_a_name_without_address_is_told(server: SshServer) -> None:
    error = refusal(server.options(address="no-such-host.invalid"))

    assert isinstance(error, Unreachable)
    assert "the name 'no-such-host.invalid' has no address" in error.message
    assert "'address' of the host" in error.hint


def test_a_port_where_nobody_listens_is_told(server: SshServer) -> None:
    error = refusal(server.options(port=free_port()))

    assert error.message.endswith("connection refused")
    assert "does an SSH server run there" in error.hint


def test_a_server_that_never_greets_is_told_with_the_limit(server: SshServer, tmp_path: Path) -> None:
    config = written(tmp_path / "config", "ConnectTimeout 1\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(server.options(port=silent.getsockname()[1]), config)

    assert "does not talk SSH with us" in error.message
    assert "It had 1s: ConnectTimeout in ~/.ssh/config" in error.hint


def test_an_address_that_does_not_answer_is_told_with_the_limit(server: SshServer, tmp_path: Path) -> None:
    config = written(tmp_path / "config", "ConnectTimeout 1\n")
    with socket.socket() as full:  # whose queue of connections is full: packets to it are dropped
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(3)]
        for each in queued:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        assert select.select([], queued, [], 60)[1], "nobody stands in the queue"
        error = refusal(server.options(port=full.getsockname()[1]), config)
        for each in queued:
            each.close()

    assert error.message.endswith("no answer within 1s")
    assert "The limit is ConnectTimeout in ~/.ssh/config" in error.hint


def test_a_key_that_is_not_known_is_refused_with_its_fingerprint_and_line(
    server: SshServer, tmp_path: Path
) -> None:
    known = written(tmp_path / "known", "@cert-authority *.lab ssh-ed25519 AAAA\n@broken\nnonsense\n")
    options = server.options(known_hosts=str(known))
    error = refusal(options)
    assert f"its ssh-ed25519 key {server.fingerprint} is not known" in error.message

    line = error.hint.splitlines()[1]
    assert line == f"[127.0.0.1]:{server.port} {server.host_key}"
    known.write_text(line, encoding="utf-8")
    reach(options).close()


def test_a_key_that_is_another_than_the_known_one_is_refused(server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    other = (tmp_path / "other.pub").read_text(encoding="utf-8")
    known = written(tmp_path / "known", f"[127.0.0.1]:{server.port} {other}")
    error = refusal(server.options(known_hosts=str(known)))

    assert f"key {server.fingerprint} is not the one in {known}:1" in error.message
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}' -f {known}" in error.hint


def test_a_revoked_key_is_refused(server: SshServer, tmp_path: Path) -> None:
    known = written(
        tmp_path / "known", f"{server.known.read_text(encoding='utf-8')}@revoked * {server.host_key}\n"
    )
    assert f"is revoked by {known}:2" in refusal(server.options(known_hosts=str(known))).message


def test_hashed_names_are_known(server: SshServer) -> None:
    output("ssh-keygen", "-q", "-H", "-f", str(server.known))
    assert server.known.read_text(encoding="utf-8").startswith("|1|")
    reach(server.options()).close()


def test_a_pinned_fingerprint_is_all_that_counts(server: SshServer, tmp_path: Path) -> None:
    nothing = str(tmp_path / "none")
    reach(server.options(known_hosts=nothing, host_key=server.fingerprint)).close()
    wrong = f"SHA256:{'A' * 43}"
    error = refusal(server.options(host_key=wrong))
    assert f"key is {server.fingerprint}, and 'host_key' of the host says {wrong}" in error.message


def test_accept_new_keeps_the_first_key_and_refuses_another(server: SshServer, tmp_path: Path) -> None:
    known = tmp_path / "ssh" / "known"
    options = server.options(known_hosts=str(known), host_key="accept-new")
    reach(options).close()
    assert known.read_text(encoding="utf-8") == f"[127.0.0.1]:{server.port} {server.host_key}\n"

    make_key(tmp_path / "other")
    other = (tmp_path / "other.pub").read_text(encoding="utf-8")
    known.write_text(f"[127.0.0.1]:{server.port} {other}", encoding="utf-8")
    assert "is not the one in" in refusal(options).message


# --- logging in ------------------------------------------------------------------------------------


def test_a_key_that_is_not_accepted_is_told(server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    error = refusal(server.options(identity_file=str(tmp_path / "stranger")))

    assert f"nobody was let in as {getpass.getuser()!r}" in error.message
    assert f"{tmp_path / 'stranger'} was not accepted" in error.message
    assert "authorized_keys" in error.hint


def test_a_key_that_is_not_there_is_told(server: SshServer) -> None:
    assert "there is no /nowhere/key" in refusal(server.options(identity_file="/nowhere/key")).message


def test_a_password_where_none_is_accepted_is_told(server: SshServer) -> None:
    error = refusal(server.options(identity_file="/nowhere/key", password=Secret("hunter2")))

    assert "passwords are not accepted by the server" in error.message
    assert "hunter2" not in f"{error.message}{error.hint}"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_of_every_kind_log_in_also_behind_a_passphrase(
    server: SshServer, tmp_path: Path, kind: str
) -> None:
    key = tmp_path / kind
    make_key(key, kind, "open sesame")
    public = key.with_name(f"{kind}.pub").read_text(encoding="utf-8")
    written(server.folder / "authorized_keys", public)
    options = server.options(identity_file=str(key))

    assert f"{key} needs a passphrase" in refusal(options).message
    reach({**options, "password": Secret("open sesame")}).close()


def answers(path: Path) -> bool:
    """Tell whether somebody listens on a Unix socket: its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(path)) == 0


@pytest.fixture
def keeper(server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Start an agent that keeps the server's key, in a home without keys; return its socket."""
    port = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port), "the agent listens")
        with monkeypatch.context() as there:
            there.setenv("SSH_AUTH_SOCK", str(port))
            output("ssh-add", "-q", str(server.identity))
        monkeypatch.setenv("HOME", str(tmp_path))
        yield port
    finally:
        agent.terminate()
        agent.wait(60)


def without_key(server: SshServer) -> dict[str, Any]:
    """Return the options of the server without its key file."""
    return {name: value for name, value in server.options().items() if name != "identity_file"}


def test_a_key_of_the_ssh_agent_logs_in(
    server: SshServer, keeper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(keeper))
    reach(without_key(server)).close()


def test_a_certificate_beside_the_key_logs_in(tmp_path: Path) -> None:
    make_key(tmp_path / "authority")
    user = getpass.getuser()
    with ssh_server(tmp_path / "shelf1", TrustedUserCAKeys=str(tmp_path / "authority.pub")) as server:
        (server.folder / "authorized_keys").unlink()
        assert "was not accepted" in refusal(server.options()).message
        output(
            "ssh-keygen",
            "-q",
            "-s",
            str(tmp_path / "authority"),
            "-I",
            "t",
            "-n",
            user,
            f"{server.identity}.pub",
        )
        reach(server.options()).close()

        elsewhere = server.identity.with_name("identity-cert.pub").rename(tmp_path / "lent-cert.pub")
        assert "was not accepted" in refusal(server.options()).message
        make_key(tmp_path / "other")
        keys = f"IdentityFile {tmp_path}/other\n  IdentityFile {server.identity}"
        config = written(tmp_path / "config", f"Host *\n  {keys}\n  CertificateFile {elsewhere}\n")
        reach(without_key(server), config).close()


def test_the_agent_that_the_configuration_names_is_asked(
    server: SshServer, keeper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
    monkeypatch.setenv("KEEPER", str(keeper))
    for named in (keeper, "${KEEPER}"):
        config = written(tmp_path / "config", f"Host *\n  IdentityAgent {named}\n")
        reach(without_key(server), config).close()
    config = written(tmp_path / "config", "Host *\n  IdentityAgent none\n")
    assert "nobody was let in" in refusal(without_key(server), config).message


# --- the way there ---------------------------------------------------------------------------------


def test_the_users_configuration_is_read_with_what_it_includes(server: SshServer, tmp_path: Path) -> None:
    written(
        tmp_path / "shelves.conf",
        f"Host shelf1\n  HostName 127.0.0.1\n  Port {server.port}\n  HostKeyAlias the-shelf\n",
    )
    config = written(
        tmp_path / "config",
        f"Include {tmp_path}/*.conf\nIdentityFile {server.identity}\nUserKnownHostsFile {tmp_path}/known\n"
        f"User {getpass.getuser()}\n",
    )
    written(tmp_path / "known", f"the-shelf {server.host_key}\n")
    reach({}, config).close()


def test_two_hops_of_proxyjump_are_gone(server: SshServer, second: SshServer, tmp_path: Path) -> None:
    with ssh_server(tmp_path / "shelf3") as third:
        known = "".join(each.known.read_text(encoding="utf-8") for each in (server, second, third))
        written(tmp_path / "known", known)
        hosts = "".join(
            f"Host {name}\n  HostName 127.0.0.1\n  Port {each.port}\n  IdentityFile {each.identity}\n"
            for name, each in (("gate", server), ("hall", second), ("shelf1", third))
        )
        config = written(
            tmp_path / "config",
            f"{hosts}Host shelf1\n  ProxyJump gate,hall\nHost *\n  UserKnownHostsFile {tmp_path / 'known'}\n"
            f"  User {getpass.getuser()}\n",
        )
        reach({}, config).close()
        for each in (server, second, third):
            wait_until(lambda each=each: "Accepted publickey" in each.log(), "each let us in")  # type: ignore[misc]


def test_hosts_of_the_inventory_are_hops_and_a_closed_way_is_told(
    server: SshServer, second: SshServer
) -> None:
    gate = Host(name="gate", options=server.options())
    lab = SshLab(second, {"gate": gate}, jump=("gate",))
    lab.configure()
    assert lab.run("Echo", text="by way of the gate", number=1) == ["by way of the gate", 1]
    lab.agent.close()
    wait_until(lambda: "Accepted publickey" in server.log(), "the gate let us in")

    lost = SshLab(second, {"gate": gate}, jump=("gate",), port=free_port())
    with pytest.raises(Unreachable, match="the host before it on the way cannot reach it: Connect"):
        lost.configure()


def test_a_proxycommand_carries_it(server: SshServer, tmp_path: Path) -> None:
    with relay(server.port) as carrier:
        command = (
            f"{os.path.realpath('/usr/bin/python3')} -c "
            '\'import socket,sys,threading,os;s=socket.create_connection(("127.0.0.1",%p));'
            'threading.Thread(target=lambda:[s.sendall(d) for d in iter(lambda:os.read(0,65536),b"")],'
            'daemon=True).start();[os.write(1,d) for d in iter(lambda:s.recv(65536),b"")]\''
        )
        config = written(tmp_path / "config", f"Host *\n  Port {carrier.port}\n  ProxyCommand {command}\n")
        options = server.options(host_key=server.fingerprint)
        del options["port"]
        reach(options, config).close()
        assert carrier.asked > 0


# --- transport: openssh ----------------------------------------------------------------------------


def test_the_program_ssh_carries_the_same_agent(server: SshServer) -> None:
    lab = SshLab(server, transport="openssh")
    lab.configure()
    assert lab.run("Echo", text="by ssh", number=1) == ["by ssh", 1]
    lab.agent.close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"address": "no-such-host.invalid"}, "Could not resolve hostname"),
        ({"port": 1}, "Connection refused"),
        ({"identity_file": "/nowhere/key"}, "Permission denied"),
        ({"known_hosts": "/nowhere/known"}, "Host key verification failed"),
    ],
)
def test_what_the_program_ssh_says_is_passed_on_with_what_to_do(
    server: SshServer, options: dict[str, Any], told: str
) -> None:
    lab = SshLab(server, transport="openssh", **options)
    with pytest.raises(LabError, match=f"(?s)ssh could not connect: .*{told}.*; "):
        lab.configure()
    lab.agent.close()


@pytest.mark.parametrize(
    "options", [{"password": Secret("hunter2")}, {"host_key": f"SHA256:{'A' * 43}"}], ids=["password", "pin"]
)
def test_what_the_program_ssh_cannot_be_told_is_refused(server: SshServer, options: dict[str, Any]) -> None:
    host = Host(name="shelf1", options=server.options(**options))
    with pytest.raises(LabError, match=r"host 'shelf1': the program ssh .* (from us|fingerprint)"):
        start(host, {}, "true", print)
