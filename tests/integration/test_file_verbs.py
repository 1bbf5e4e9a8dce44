"""Files to and from the bench's host, in recipes: push_file, fetch_file, flash, and artifacts of any step."""

import hashlib
import json
import os
import re
import signal
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import runner, started, wait_until
from support.media import noise
from support.processes import named
from support.ssh_lab import inventory, tree
from support.ssh_server import SshServer, ssh_server

pytestmark = pytest.mark.peer("sshd")
MIB = 2**20
MODULE = '''
"""Makes artifacts, and then fails."""
import os
import threading
from pathlib import Path

from runner.api import Context, Failed, Module, arg


class Traces(Module):
    """Keep a big trace and fail."""

    size: int = arg(default=0, help="bytes")
    hangs: bool = arg(default=False, help="stop in the middle of it")

    def run(self, context: Context) -> None:
        if self.hangs:
            source, sink = os.pipe()
            threading.Thread(target=os.write, args=(sink, bytes(3 * 2**20)), daemon=True).start()
            context.artifact("trace.bin", Path(f"/proc/self/fd/{source}"))
        path = Path.cwd() / "trace.bin"
        with path.open("wb") as file:
            for number in range(self.size // 2**20):
                file.write(bytes([number % 256, *range(255)]) * 4096)
        try:
            context.artifact("trace.bin", path)
            context.artifact("note.txt", b"short")
        finally:
            path.unlink()
        raise Failed("the board is broken")
'''


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


class Bench:
    """A bench on the server, or on this machine."""

    def __init__(self, folder: Path, server: SshServer | None) -> None:
        self.folder = folder / "recipes"
        self.folder.mkdir()
        self.here = folder
        host = {"b": {"host": "shelf1"}} if server else {"b": {}}
        devices = {
            "devices": {"power": {"driver": "mock"}, "disk": {"driver": "file", "path": str(folder / "disk")}}
        }
        hosts = {"shelf1": server.options()} if server else {}
        self.lab = inventory(folder, hosts, {name: {**each, **devices} for name, each in host.items()})
        self.output = ""

    def write(self, steps: str) -> str:
        path = self.folder / "recipe.yaml"
        path.write_text("steps:\n" + textwrap.indent(textwrap.dedent(steps), "  "), encoding="utf-8")
        return str(path)

    def play(self, steps: str, *more: str) -> int:
        done = runner(self.here, "play", self.write(steps), "-i", self.lab, "-v", *more)
        self.output = done.stdout + done.stderr
        return done.returncode

    @property
    def kept(self) -> Path:
        return self.here / "results" / "latest" / "artifacts" / "b"


@pytest.fixture
def far(server: SshServer, tmp_path: Path) -> Bench:
    return Bench(tmp_path, server)


@pytest.fixture
def near(tmp_path: Path) -> Bench:
    return Bench(tmp_path, None)


def test_a_file_goes_there_and_comes_back_and_the_host_is_as_before(
    far: Bench, server: SshServer, tmp_path: Path
) -> None:
    (far.folder / "images").mkdir()
    image = far.folder / "images" / "one.img"
    image.write_bytes(noise(3 * MIB))
    before = tree(server.home)
    there = tmp_path / "there" / "deep" / "two.img"
    sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
    status = far.play(
        f"""
        - push_file: {{file: images/one.img, to: {there}, parents: true, mode: "640", sha256: {sha256}}}
          register: first
          expect: first.changed and first.size == {3 * MIB}
        - push_file: {{file: "images/{{{{ 'one' }}}}.img", to: {there}, mode: "640", exists: refuse}}
          register: again
          expect: not again.changed
        - fetch_file: {there}
          register: got
          expect: got.sha256 == first.sha256
        - fetch_file: {{file: {there}, to: back/one.img, parents: true, mode: "600"}}
        - flash: images/one.img
        """
    )

    assert status == 0, far.output
    assert there.read_bytes() == image.read_bytes()
    assert there.stat().st_mode & 0o7777 == 0o640
    back = far.folder / "back" / "one.img"
    assert (back.read_bytes(), back.stat().st_mode & 0o7777) == (image.read_bytes(), 0o600)
    assert (far.kept / "two.img").read_bytes() == image.read_bytes()
    assert (tmp_path / "disk").read_bytes() == image.read_bytes()
    assert far.output.count("sent one.img") == 1
    assert f"wrote {back} (3 MiB)" in far.output
    assert tree(server.home) == before
    assert not list(server.temporary.iterdir())


def test_what_is_there_already_is_refused_when_that_is_asked_for(near: Bench, tmp_path: Path) -> None:
    source, there = near.folder / "one", tmp_path / "there"
    source.write_bytes(b"new")
    there.write_bytes(b"old")
    assert near.play(f"- push_file: {{file: one, to: {there}, exists: refuse}}") == 3
    assert re.search(r"there is on the bench's host already, with another content", near.output)
    assert near.play(f"- fetch_file: {{file: {there}, to: one, exists: refuse}}") == 3
    assert f"{source} is there already" in near.output
    assert (source.read_bytes(), there.read_bytes()) == (b"new", b"old")
    assert near.play(f"- push_file: {{file: one, to: {tmp_path}/no/where}}") == 3
    assert f"no folder '{tmp_path}/no' on the bench's host" in near.output
    assert near.play(f"- fetch_file: {{file: {there}, to: no/where}}") == 3
    assert f"no folder {near.folder / 'no'}" in near.output
    assert near.play(f"- push_file: {{file: one, to: {there}, sha256: {'f' * 64}}}") == 3
    assert "expected ffffffffffff" in near.output
    assert near.play("- fetch_file: /no/such/file") == 3
    assert "cannot read /no/such/file on the bench's host: No such file or directory" in near.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lab.yaml", "recipes", "results", "there"]


def test_a_bench_of_this_machine_reads_files_where_they_are(near: Bench, tmp_path: Path) -> None:
    (near.folder / "one.img").write_bytes(b"x" * 1000)
    assert near.play("- flash: one.img\n") == 0, near.output
    assert (tmp_path / "disk").read_bytes() == b"x" * 1000
    assert "sent one.img" not in near.output


def test_artifacts_of_a_failed_step_come_back_also_big_ones(far: Bench) -> None:
    (far.folder / "modules").mkdir()
    (far.folder / "modules" / "traces.py").write_text(MODULE, encoding="utf-8")
    assert far.play(f"- traces: {{size: {40 * MIB}}}") == 1, far.output
    assert (far.kept / "trace.bin").stat().st_size == 40 * MIB
    assert (far.kept / "note.txt").read_text(encoding="utf-8") == "short"
    assert sorted(each.name for each in far.kept.iterdir()) == ["note.txt", "trace.bin"]


def test_a_cut_in_the_middle_leaves_no_artifact_with_a_good_name(far: Bench, server: SshServer) -> None:
    (far.folder / "modules").mkdir()
    (far.folder / "modules" / "traces.py").write_text(MODULE, encoding="utf-8")
    recipe = far.write("- traces: {hangs: true}")
    process = started(far.here, "play", recipe, "-i", far.lab, "-v")
    parts = far.here / "results" / "latest" / "artifacts" / "b"
    wait_until(lambda: any(each.stat().st_size > MIB for each in parts.glob(".trace.bin*")), "it comes", 60)
    os.kill(named(server.process.pid, "python3")[-1], signal.SIGKILL)
    out, _ = process.communicate(timeout=120)

    assert process.returncode == 3, out
    assert re.search(r"trace.bin did not come to its end \([\d.]+ MiB\): it was not kept", out)
    assert not list(far.kept.iterdir())
    events = (far.here / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert not any(json.loads(each)["event"] == "artifact_saved" for each in events)
