"""The board over SSH: a real OpenSSH server in its place."""

from __future__ import annotations

import getpass
import hashlib
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.nobody import refusing_tcp
from support.plain_context import PlainContext
from support.processes import command_line, descendants, kill
from support.relay import Relay, relay
from support.ssh_server import SshServer, make_key, ssh_server

from runner.api import (
    Cancelled,
    Context,
    Duration,
    Failed,
    FilePath,
    Keep,
    Kept,
    LabError,
    Secret,
    TargetPath,
    TimedOut,
)
from runner.api.program import Ended
from runner.modules.ssh.ssh import Ssh
from runner.modules.ssh.ssh_command import SshCommand
from runner.modules.ssh.ssh_copy import Copied, SshCopy
from runner.modules.ssh.ssh_script import SshScript
from runner.modules.ssh.ssh_wait import SshWait

pytestmark = pytest.mark.peer("sshd")
PATIENT = Duration("60s")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("board") / "ssh") as it:
        yield it


def driver(server: SshServer, **options: Any) -> Ssh:
    given = {
        "host": server.address,
        "port": server.port,
        "user": getpass.getuser(),
        "identity_file": str(server.identity),
        "limit": PATIENT,
        **options,
    }
    it = Ssh(**given)
    it.open()
    return it


@pytest.fixture
def ssh(server: SshServer) -> Iterator[Ssh]:
    it = driver(server)
    yield it
    it.close()


def command(ssh: Ssh, line: str | list[str], context: Context | None = None, **more: Any) -> Ended:
    return SshCommand(command=line, shell=ssh, **{"timeout": PATIENT, **more}).run(context or PlainContext())


def copy(ssh: Ssh, context: Context | None = None, **more: Any) -> Copied:
    return SshCopy(shell=ssh, **{"timeout": PATIENT, **more}).run(context or PlainContext())


# --- commands ------------------------------------------------------------------------------------


def test_a_command_has_its_own_status_and_output(ssh: Ssh) -> None:
    ended = command(ssh, "echo out; echo err >&2; exit 3", status=[3])

    assert (ended.stdout, ended.stderr, ended.status) == ("out\n", "err\n", 3)
    with pytest.raises(Failed, match="exit status 3, expected 0: exit 3"):
        command(ssh, "exit 3")


def test_a_status_of_255_is_the_commands_own_while_the_connection_is_there(ssh: Ssh) -> None:
    with pytest.raises(Failed, match="exit status 255, expected 0: exit 255"):
        command(ssh, "exit 255")


def test_arguments_variables_and_input_arrive_as_they_are(ssh: Ssh) -> None:
    assert command(ssh, ["printf", "%s|", "a b", "$HOME", "'"]).stdout == "a b|$HOME|'|"
    assert command(ssh, 'cat; echo "$RIG"', env={"RIG": "it's 7"}, stdin="in\n").stdout == "in\nit's 7\n"


def test_what_is_there_already_need_not_be_done(ssh: Ssh, tmp_path: Path) -> None:
    key = tmp_path / "a key"
    make = SshCommand(command=f"echo made >> '{key}'", creates=str(key), shell=ssh)
    drop = SshCommand(command=["rm", str(key)], removes=str(key), shell=ssh)

    assert drop.predict(PlainContext()) == f"'{key}' is not there any more: nothing would change"
    assert make.predict(PlainContext()).startswith("would run on the board: echo made")
    for _ in range(2):
        assert make.run(PlainContext()).status == 0
        assert key.read_text(encoding="utf-8") == "made\n"
    assert make.predict(PlainContext()) == f"'{key}' is there already: nothing would change"
    for _ in range(2):
        assert drop.run(PlainContext()).status == 0
        assert not key.exists()
    assert SshCommand(command="true", shell=ssh).predict(PlainContext()) == ""
    assert [each.argument for each in SshCommand.misfits({"creates": "a", "removes": "b"})] == ["removes"]


def test_a_script_is_read_from_standard_input_with_its_arguments(ssh: Ssh, tmp_path: Path) -> None:
    script = 'for each in "$@"; do\n  echo "<$each>"\ndone\n'
    ended = SshScript(script=script, args=["a b", "c"], shell=ssh).run(PlainContext())
    (tmp_path / "x.py").write_text("import sys\nprint(sys.argv[1:])\n", encoding="utf-8")
    file = FilePath(str(tmp_path / "x.py"))
    python = SshScript(file=file, interpreter="python3 -", args=["--all"], shell=ssh).run(PlainContext())

    assert ended.stdout == "<a b>\n<c>\n"
    assert python.stdout == "['--all']\n"


def test_every_step_goes_through_one_connection(server: SshServer, ssh: Ssh) -> None:
    before = server.log().count("Accepted publickey")
    for _ in range(3):
        command(ssh, "true")

    assert server.log().count("Accepted publickey") == before + 1


def test_a_command_that_takes_too_long_is_ended_and_the_next_one_works(ssh: Ssh) -> None:
    command(ssh, "true")
    with pytest.raises(TimedOut, match="not ended within 500ms on ssh://.*: sleep 1000"):
        command(ssh, "sleep 1000", timeout=Duration("500ms"))
    assert command(ssh, "echo alive").stdout == "alive\n"


def test_a_cancel_ends_a_command(ssh: Ssh) -> None:
    class CancelledByOutput(PlainContext):
        def log(self, text: str, level: str = "info") -> None:
            self.cancel()

    with pytest.raises(Cancelled):
        command(ssh, "echo here; sleep 1000", CancelledByOutput())


# --- the connection ------------------------------------------------------------------------------


@pytest.fixture
def cable(server: SshServer) -> Iterator[Relay]:
    with relay(server.port) as it:
        yield it


def test_a_connection_that_breaks_is_told_and_the_next_step_connects_anew(
    server: SshServer, cable: Relay
) -> None:
    ssh = driver(server, port=cable.port)

    class Pulls(PlainContext):
        def log(self, text: str, level: str = "info") -> None:
            kill(sessions(server))

    with pytest.raises(Failed, match="the connection was lost: .+"):
        command(ssh, "echo here; exec sleep 1000", Pulls())
    assert command(ssh, "echo again").stdout == "again\n"
    ssh.close()


def sessions(server: SshServer) -> list[int]:
    """Return the processes of the server that serve connections."""
    return list(descendants(server.process.pid))


def test_a_board_that_is_not_there_is_the_boards_fault_and_named() -> None:
    with refusing_tcp() as port:
        ssh = Ssh(host="127.0.0.1", port=port, user="root", limit=PATIENT)
        ssh.open()
        with pytest.raises(
            Failed, match=rf"ssh://root@127.0.0.1:{port} does not answer: .*Connection refused"
        ):
            command(ssh, "true")
        ssh.close()


def test_a_board_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ssh = Ssh(host="127.0.0.1", port=silent.getsockname()[1], limit=Duration("1s"))
        ssh.open()
        with pytest.raises(Failed, match="does not answer: .*(no answer within 1s|timed out)"):
            command(ssh, "true")
        ssh.close()


def test_who_is_not_let_in_is_told_by_which_way_it_was_tried(server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    ssh = driver(server, identity_file=str(tmp_path / "other"))
    with pytest.raises(LabError, match=r"Permission denied \(publickey\)") as caught:
        command(ssh, "true")
    assert caught.value.hint == "see the options 'user', 'password' and 'identity_file'"
    ssh.close()


def test_another_host_key_is_refused_only_where_that_was_asked_for(server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    known = tmp_path / "known"
    key = (tmp_path / "other.pub").read_text(encoding="utf-8")
    known.write_text(f"[{server.address}]:{server.port} {key}", encoding="utf-8")
    strict = driver(server, host_key="strict", known_hosts=str(known))
    with pytest.raises(LabError, match="Host key verification failed"):
        command(strict, "true")
    strict.close()
    fine = driver(server, host_key="strict", known_hosts=str(server.known))
    assert command(fine, "echo in").stdout == "in\n"
    fine.close()


def test_nothing_is_left_behind(server: SshServer) -> None:
    ssh = driver(server)
    command(ssh, "true")
    folder = ssh._master.socket.parent
    assert folder.exists()
    ssh.close()

    assert not folder.exists()
    wait_until(lambda: not sessions(server), "the server has no session any more")


def test_a_password_is_given_and_shown_nowhere(tmp_path: Path) -> None:
    with PasswordServer(tmp_path, "s3cret pa$$") as server:
        ssh = Ssh(
            host="127.0.0.1", port=server.port, user="root", password=Secret("s3cret pa$$"), limit=PATIENT
        )
        ssh.open()
        assert command(ssh, "anything").stdout == "heard anything\n"
        arguments = [command_line(pid) for pid in descendants(os.getpid())]
        assert any(each.startswith("ssh\0") for each in arguments)
        assert [each for each in arguments if "s3cret" in each] == []
        ssh.close()
        wrong = Ssh(host="127.0.0.1", port=server.port, user="root", password=Secret("wrong"), limit=PATIENT)
        wrong.open()
        with pytest.raises(LabError, match="Permission denied") as caught:
            command(wrong, "true")
        assert "wrong" not in str(caught.value.evidence)
        wrong.close()


class PasswordServer:
    """A server that wants a password, and says what it was asked to run."""

    def __init__(self, folder: Path, password: str) -> None:
        import paramiko

        make_key(folder / "server_key")
        self._key = paramiko.Ed25519Key(filename=str(folder / "server_key"))
        self._password = password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._transports: list[Any] = []
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> PasswordServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for transport in self._transports:
            transport.close()
        self._listener.close()

    def _serve(self) -> None:
        import paramiko

        password = self._password

        class Server(paramiko.ServerInterface):
            def get_allowed_auths(self, username: str) -> str:
                return "password"

            def check_auth_password(self, username: str, given: str) -> int:
                return paramiko.AUTH_SUCCESSFUL if given == password else paramiko.AUTH_FAILED

            def check_channel_request(self, kind: str, chanid: int) -> int:
                return paramiko.OPEN_SUCCEEDED

            def check_channel_exec_request(self, channel: Any, line: bytes) -> bool:
                threading.Thread(target=self._answer, args=(channel, line), daemon=True).start()
                return True

            def _answer(self, channel: Any, line: bytes) -> None:
                channel.sendall(b"heard " + line + b"\n")
                channel.send_exit_status(0)
                channel.close()

        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self._transports.append(transport)
            transport.add_server_key(self._key)
            transport.start_server(event=threading.Event(), server=Server())


# --- waiting -------------------------------------------------------------------------------------


def test_a_board_that_comes_up_later_is_waited_for(server: SshServer) -> None:
    with ExitStack() as stack:
        ssh = driver(server, port=stack.enter_context(refusing_tcp()))

        class Trying(PlainContext):
            def sleep(self, seconds: float) -> None:
                stack.enter_context(relay(server.port, ssh.port))

        waited = SshWait(within=PATIENT, shell=ssh).run(Trying())
        ssh.close()

    assert waited.attempts == 2


def test_a_board_that_does_not_come_up_is_told_with_the_last_reason() -> None:
    class Slow(Ssh):
        """Gets as much time as a loaded machine needs to be refused."""

        def connect(self, timeout: float) -> None:
            super().connect(max(timeout, PATIENT))

    with refusing_tcp() as port:
        ssh = Slow(host="127.0.0.1", port=port, limit=PATIENT)
        ssh.open()
        with pytest.raises(
            TimedOut, match="not let in within 1s: ssh://.* does not answer: .*refused"
        ) as caught:
            SshWait(within=Duration("1s"), shell=ssh).run(PlainContext())
        assert caught.value.evidence["attempts"] >= 1
        ssh.close()


# --- files ---------------------------------------------------------------------------------------


class Keeper(PlainContext):
    """Keeps artifacts in memory, and what is said about progress."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, bytes] = {}
        self.seen: list[tuple[float, float | None]] = []

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        content = data.read_bytes() if isinstance(data, Path) else data
        self.kept[keep.to if keep else name] = content
        return Kept(len(content), hashlib.sha256(content).hexdigest())

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        self.seen.append((done, total))


def test_a_file_goes_to_the_board_and_comes_back(ssh: Ssh, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(3_000_001)
    (tmp_path / "it's.img").write_bytes(content)
    context = Keeper()
    there = tmp_path / "board"
    there.mkdir()
    put = copy(ssh, context, put=FilePath(str(tmp_path / "it's.img")), to=f"{there}/", mode="750")
    got = copy(ssh, context, get=put.path)
    copy(ssh, context, get=put.path, save=TargetPath("elsewhere"))

    assert Path(put.path).read_bytes() == content
    assert Path(put.path).stat().st_mode & 0o777 == 0o750
    assert list(there.iterdir()) == [Path(put.path)]
    assert context.kept == {"it's.img": content, "elsewhere": content}
    assert put.sha256 == got.sha256 == hashlib.sha256(content).hexdigest()
    assert context.seen[0][1] == 3_000_001
    assert (3_000_001, 3_000_001) in context.seen


def test_a_disk_of_the_board_that_is_full_is_told_and_nothing_has_the_name(ssh: Ssh, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 2_000_000)
    target = tmp_path / "there"
    limited = "ulimit -f 100; "  # the shell's own limit is as good as a full disk: write(2) fails

    class Full(Ssh):
        def arguments(self, line: str) -> tuple[str, ...]:
            return super().arguments(f"trap '' XFSZ; {limited}{line}" if line.startswith("cat >") else line)

    full = Full(**{name: getattr(ssh, name) for name in ("host", "port", "user", "identity_file", "limit")})
    full.open()
    with pytest.raises(Failed, match=r"of 2000000 bytes were copied: .*File too large"):
        copy(full, put=FilePath(str(tmp_path / "big")), to=str(target))
    full.close()
    assert not target.exists()
    assert not Path(f"{target}.part").exists()


def test_a_file_that_arrives_damaged_is_not_used(ssh: Ssh, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"the right content")

    class Damages(Ssh):
        def arguments(self, line: str) -> tuple[str, ...]:
            return super().arguments(line.replace("cat >", "tr r R >"))

    bad = Damages(**{name: getattr(ssh, name) for name in ("host", "port", "user", "identity_file", "limit")})
    bad.open()
    with pytest.raises(Failed, match="there has the SHA-256 .*, expected|has the SHA-256 .*, expected"):
        copy(bad, put=FilePath(str(tmp_path / "one")), to=str(tmp_path / "there"))
    bad.close()
    assert not (tmp_path / "there").exists()
    assert not (tmp_path / "there.part").exists()


def test_a_file_that_is_not_there_is_told(ssh: Ssh, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="exit status [12], expected 0: wc -c"):
        copy(ssh, get=str(tmp_path / "nothing"))


def test_a_connection_that_breaks_in_the_middle_is_told_with_how_far_it_was(
    server: SshServer, cable: Relay, tmp_path: Path
) -> None:
    ssh = driver(server, port=cable.port)
    (tmp_path / "big").write_bytes(bytes(40_000_000))
    command(ssh, "true")
    served = sessions(server)
    cable.at(cable.sent + 8_000_000, lambda: kill(served))
    with pytest.raises(Failed, match=r"\d+ of 40000000 bytes were copied: the connection was lost"):
        copy(ssh, put=FilePath(str(tmp_path / "big")), to=str(tmp_path / "there"))
    assert not (tmp_path / "there").exists()
    ssh.close()
