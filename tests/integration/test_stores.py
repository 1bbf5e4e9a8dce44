"""Files of object stores and file servers, on their way to a host: rclone's servers, and OpenSSH's."""

import contextlib
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import runner, wait_until
from support.peers import ROOT, UBOOT
from support.registry import registry
from support.ssh_server import free_port, ssh_server

from runner.agent.calls import Heard
from runner.api import Cancelled, LabError, RecipeFault, Unreachable
from runner.api.codec import FILE
from runner.connect.stores import Fetch, fetched
from runner.engine.cancel import Cancellation

CONTENT = os.urandom(5_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def served(folder: Path, log: Path, *words: str) -> Iterator[int]:
    """Serve a folder; give the port."""
    rclone = Path(sys.executable).parent / "rclone"
    command = [rclone, "serve", *words, "--config", str(log.with_suffix(".conf")), str(folder)]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        wait_until(lambda: bool(_port(log)), "it serves")
        port = int(_port(log))
        wait_until(lambda: _listens(port), "it listens")  # which that of FTP does after it has said so
        yield port
    finally:
        process.kill()
        process.wait()


def _port(log: Path) -> str:
    found = re.search(r"127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))
    return found[1] if found and found[1] != "0" else ""


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store") / "files"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a b.img").write_bytes(CONTENT)
    return folder


@pytest.fixture(scope="module")
def s3(folder: Path) -> Iterator[int]:
    words = ("s3", "--auth-key", "key-1,secret-1", "--addr", "127.0.0.1:0")
    with served(folder, folder.parent / "s3.log", *words) as port:
        yield port


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-1")


@pytest.fixture
def step() -> Iterator["Step"]:
    step = Step()
    yield step
    step.closing.close()


class Step:
    """What a step has for fetching."""

    def __init__(self, limit: float = 60.0) -> None:
        self.heard: list[Heard] = []
        self.cancel = Cancellation()
        self.closing = contextlib.ExitStack()
        self.hidden: list[str] = []
        self.limit = limit

    def of(self, url: str) -> str:
        fetch = Fetch(self.heard.append, self.cancel, self.limit, self.closing, self.hidden.append)
        named = fetched({"image": {FILE: url}, "parts": [{"image": {FILE: "/x"}}]}, fetch)
        assert named["parts"] == [{"image": {FILE: "/x"}}]
        return str(named["image"][FILE])


def at(port: int, path: str) -> str:
    return f"s3://images/{path}?endpoint=http://127.0.0.1:{port}&region=us-east-1"


@pytest.mark.usefixtures("credentials")
def test_a_store_that_can_sign_has_the_host_fetch_it_by_a_signed_request(step: Step, s3: int) -> None:
    url = step.of(at(s3, "a%20b.img"))

    assert url.startswith(f"http://127.0.0.1:{s3}/images/a%20b.img?")
    assert "secret-1" not in url
    assert step.hidden == [url.partition("?")[2]]
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert hashlib.sha256(answer.read()).hexdigest() == SHA256
    assert step.heard == []


@pytest.mark.usefixtures("credentials")
def test_a_file_that_a_store_does_not_have_is_the_recipes_fault(step: Step, s3: int) -> None:
    with pytest.raises(RecipeFault, match="s3://images/none.img: there is no such file"):
        step.of(at(s3, "none.img"))


def test_a_store_that_knows_somebody_else_refuses(
    step: Step, s3: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    with pytest.raises(LabError, match="s3://images/a%20b.img: the store refuses") as caught:
        step.of(at(s3, "a%20b.img"))
    assert "wrong" not in f"{caught.value.message}{caught.value.evidence}"


@pytest.mark.usefixtures("credentials")
def test_a_store_that_is_not_there_is_unreachable_in_the_time_of_the_step(step: Step) -> None:
    step.limit = 2.0
    with pytest.raises(Unreachable, match="s3://images/x.img"):
        step.of(at(1, "x.img"))


@pytest.mark.usefixtures("credentials")
def test_a_cancelled_step_waits_for_no_store(step: Step) -> None:
    step.cancel.cancel("Ctrl-C")
    began = time.monotonic()

    with pytest.raises(Cancelled, match="Ctrl-C"):
        step.of(at(1, "x.img"))
    assert time.monotonic() - began < 30


def test_what_only_this_machine_can_speak_to_is_copied_here_for_as_long_as_the_test(
    step: Step, folder: Path
) -> None:
    words = ("ftp", "--user", "ana", "--pass", "s/cret", "--addr", f"127.0.0.1:{free_port()}")
    with served(folder, folder.parent / "ftp.log", *words) as port:
        path = Path(step.of(f"ftp://ana:s%2Fcret@127.0.0.1:{port}/images/a%20b.img"))

        assert (path.name, hashlib.sha256(path.read_bytes()).hexdigest()) == ("a b.img", SHA256)
        assert step.heard
        step.closing.close()
        assert not path.exists()
        with pytest.raises(LabError) as caught:
            step.of(f"ftp://ana:wrong@127.0.0.1:{port}/images/a%20b.img")
        assert "wrong" not in caught.value.message


def test_webdav_is_fetched_by_the_host_as_from_a_web_server(step: Step) -> None:
    assert step.of("webdavs://ana:s%2Fcret@files.lab/a.img") == "https://ana:s%2Fcret@files.lab/a.img"


@pytest.mark.peer("sshd")
def test_sftp_goes_by_the_keys_and_known_hosts_of_ssh(
    step: Step, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_server(tmp_path / "shelf") as server:
        programs = tmp_path / "bin"
        programs.mkdir()
        scp = programs / "scp"
        scp.write_text(
            f"#!/bin/sh\nexec /usr/bin/scp -F /dev/null -i {server.identity} "
            f'-o UserKnownHostsFile={server.known} -o StrictHostKeyChecking=yes "$@"\n'
        )
        scp.chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        root = f"sftp://{server.address}:{server.port}"
        path = Path(step.of(f"{root}{folder}/images/a%20b.img"))

        assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
        with pytest.raises(LabError, match="No such file"):
            step.of(f"{root}{folder}/images/none.img")


def test_a_recipe_flashes_an_image_of_a_store(tmp_path: Path, s3: int) -> None:
    (tmp_path / "lab.yaml").write_text(
        f"benches: {{store-desk: {{devices: {{card: {{driver: file, path: {tmp_path}/card}}}}}}}}\n"
    )
    (tmp_path / "recipe.yaml").write_text(
        f'steps:\n  - flash: {{image: "{at(s3, "a%20b.img")}", sha256: "{SHA256}"}}\n'
    )
    known = {"AWS_ACCESS_KEY_ID": "key-1", "AWS_SECRET_ACCESS_KEY": "secret-1", "no_proxy": "127.0.0.1"}

    done = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", **known)

    assert done.returncode == 0, done.stdout
    assert (tmp_path / "card").read_bytes() == CONTENT
    logged = "".join(path.read_text() for path in tmp_path.glob("results/*/*.*"))
    assert "X-Amz-Signature" not in logged


# --- artifacts of a registry ---------------------------------------------------------------------


@pytest.fixture
def puller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCI_USERNAME", "me")
    monkeypatch.setenv("OCI_PASSWORD", "pw")


@pytest.mark.usefixtures("puller")
def test_a_file_of_an_artifact_is_copied_here_for_as_long_as_the_test(
    step: Step, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    with registry(folder) as name:
        copy = Path(step.of(f"oci://{name}:2.1"))
        assert copy.read_bytes() == CONTENT
    (tmp_path / "disk.img").write_bytes(CONTENT)
    with registry(tmp_path) as name:
        assert Path(step.of(f"oci://{name}:2.1?file=disk.img")).read_bytes() == CONTENT
        with pytest.raises(RecipeFault, match="has 2 files: say which one") as caught:
            step.of(f"oci://{name}:2.1")
        assert caught.value.hint == "it has: disk.img, notes.txt"
        with pytest.raises(RecipeFault, match="has no file 'disk.iso'"):
            step.of(f"oci://{name}:2.1?file=disk.iso")
    step.closing.close()
    assert not copy.exists()


@pytest.mark.usefixtures("puller")
def test_an_artifact_that_is_damaged_or_not_there_is_told(
    step: Step, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        registry(folder, damaged=True) as name,
        pytest.raises(LabError, match="did not arrive as the registry"),
    ):
        step.of(f"oci://{name}:2.1")
    with registry(folder) as name:
        with pytest.raises(RecipeFault, match="the registry does not have"):
            step.of(f"oci://{name}:3")
        monkeypatch.setenv("OCI_PASSWORD", "wrong")
        with pytest.raises(LabError, match="the registry answers 403"):
            step.of(f"oci://{name}:2.1")
        monkeypatch.delenv("OCI_PASSWORD")
        with pytest.raises(RecipeFault, match="OCI_USERNAME and OCI_PASSWORD go together"):
            step.of(f"oci://{name}:2.1")
    monkeypatch.setenv("OCI_PASSWORD", "pw")
    with pytest.raises(Unreachable, match="cannot reach"):
        step.of(f"oci://{name}:2.1")


@pytest.mark.usefixtures("puller")
def test_a_recipe_flashes_an_artifact(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "lab.yaml").write_text(
        f"benches: {{desk: {{devices: {{disk: {{driver: file, path: {tmp_path}/disk}}}}}}}}", encoding="utf-8"
    )
    with registry(folder) as name:
        (tmp_path / "r.yaml").write_text(
            f"steps:\n  - flash: {{image: 'oci://{name}:2.1', sha256: {SHA256}}}\n", encoding="utf-8"
        )
        done = runner(tmp_path, "play", "r.yaml", "-i", "lab.yaml", OCI_USERNAME="me", OCI_PASSWORD="pw")

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "disk").read_bytes() == CONTENT


def test_an_image_of_a_registry_is_served_to_the_board(tmp_path: Path, folder: Path) -> None:
    """Up to the moment when the board is to be switched: that fails."""
    (tmp_path / "lab.yaml").write_text(
        f"""
benches:
  desk:
    devices:
      board: {{driver: qemu, bios: {UBOOT}}}
      supply: {{driver: mock, fails: ['off']}}
      tftp: {{driver: tftp_server, bind: 127.0.0.1}}
      http: {{driver: http_server, bind: 127.0.0.1}}
""",
        encoding="utf-8",
    )
    files = {"bundle": f"{ROOT}/recipes/bundles/qemu_arm64.yaml", "kernel": "Image", "initramfs": "Image"}
    (tmp_path / "Image").write_bytes(bytes(1000))
    with registry(folder) as name:
        image = {"image": f"oci://{name}:2.1", "sha256": SHA256, **files, "supply": "supply", "retries": 0}
        (tmp_path / "r.yaml").write_text(
            f"steps:\n  - flash_network: {json.dumps(image)}\n", encoding="utf-8"
        )
        done = runner(
            tmp_path,
            "play",
            "r.yaml",
            "-i",
            "lab.yaml",
            OCI_USERNAME="me",
            OCI_PASSWORD="pw",
            RUNNER_LOCKS=str(tmp_path / "locks"),
        )

    assert done.returncode == 3, done.stdout
    assert "phase: enter U-Boot" in done.stdout
    assert "phase: serve by HTTP" in done.stdout
