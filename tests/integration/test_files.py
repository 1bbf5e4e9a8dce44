"""Files that recipes name, on their way to the host of the bench: a real OpenSSH server."""

import hashlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import wait_until
from support.processes import kill
from support.relay import Relay, relay
from support.ssh_lab import PROBES, SshLab, tree
from support.ssh_server import PYTHON, SshServer, ssh_server

from runner.agent.calls import Advanced, Configure, DeviceSpec, Heard, Run, Said
from runner.agent.messages import pack_sources, unpack_sources
from runner.api import Failed, LabError, RecipeFault
from runner.api.codec import FILE

pytestmark = pytest.mark.peer("sshd")
MIB = 2**20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


class Files(SshLab):
    """An agent that is given files."""

    def __init__(self, server: SshServer, **options: Any) -> None:
        super().__init__(server, **options)
        self.heard: list[Heard] = []
        self.configure()

    def sees(self, path: Path | str, bench: str = "b") -> dict[str, Any]:
        """Return what a module sees of a file of ours."""
        request = Run(bench, f"{PROBES}:Sees", {"file": {FILE: str(path)}}, {}, 60.0, "the step's timeout")
        seen: dict[str, Any] = self.ask(request, self.heard.append)["value"]
        return seen

    @property
    def was_sent(self) -> bool:
        """Whether anything was sent since the last time that this was asked."""
        sent = any(isinstance(each, Advanced) for each in self.heard)
        self.heard.clear()
        return sent


@pytest.fixture
def lab(server: SshServer) -> Iterator[Files]:
    it = Files(server)
    yield it
    it.agent.close()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def noise(path: Path, size: int = 3 * MIB) -> Path:
    """Write a file that cannot be packed."""
    path.write_bytes(os.urandom(size))
    return path


@pytest.fixture
def counted(server: SshServer) -> Iterator[Relay]:
    """A way to the server on which bytes are counted."""
    with relay(server.port) as it:
        known = server.known.read_text(encoding="utf-8").replace(f":{server.port} ", f":{it.port} ")
        server.known.write_text(known, encoding="utf-8")
        yield it


# --- what a module sees --------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_a_module_sees_a_file_of_its_host_with_the_name_and_content_of_ours(
    server: SshServer, tmp_path: Path, transport: str
) -> None:
    lab = Files(server, transport=transport)
    image = noise(tmp_path / "nightly v2.img")
    seen = lab.sees(image)

    assert Path(seen["path"]).name == "nightly v2.img"
    assert Path(seen["path"]).is_relative_to(server.temporary)
    assert seen["sha256"] == sha256(image)
    assert next(each.text for each in lab.heard if isinstance(each, Said)).startswith(
        "sent nightly v2.img (3 MiB) to host 'shelf1' in "
    )
    lab.agent.close()


def test_a_second_use_sends_nothing_also_under_another_name_and_for_another_bench(
    lab: Files, tmp_path: Path
) -> None:
    image = noise(tmp_path / "one.img")
    lab.sees(image)
    assert lab.was_sent
    copy = tmp_path / "two.img"
    copy.write_bytes(image.read_bytes())
    lab.ask(Configure("c", {}))
    seen = lab.sees(copy, "c")

    assert not lab.was_sent
    assert (Path(seen["path"]).name, seen["sha256"]) == ("two.img", sha256(image))


def test_a_file_that_two_benches_need_at_once_is_sent_once(lab: Files, tmp_path: Path) -> None:
    image = noise(tmp_path / "one.img", 32 * MIB)
    lab.ask(Configure("c", {}))
    seen: list[dict[str, Any]] = []
    both = [
        threading.Thread(target=lambda bench=bench: seen.append(lab.sees(image, bench))) for bench in "bc"
    ]
    for each in both:
        each.start()
    for each in both:
        each.join(60)

    assert {each["sha256"] for each in seen} == {sha256(image)}
    told = [each.text.split(" to ")[0] for each in lab.heard if isinstance(each, Said)]
    assert sorted(told) == ["one.img (32 MiB) is on host 'shelf1' already", "sent one.img (32 MiB)"]


def test_a_file_that_changed_between_two_steps_is_sent_again(lab: Files, tmp_path: Path) -> None:
    image = noise(tmp_path / "one.img", 1000)
    lab.sees(image)
    noise(image, 1000)

    assert lab.sees(image)["sha256"] == sha256(image)


def test_a_file_that_a_step_has_damaged_on_the_host_is_sent_again(lab: Files, tmp_path: Path) -> None:
    image = noise(tmp_path / "one.img", 1000)
    there = Path(lab.sees(image)["path"])
    there.chmod(0o644)
    there.write_bytes(bytes(1000))

    assert lab.sees(image)["sha256"] == sha256(image)


def test_a_driver_gets_the_file_of_its_option(lab: Files, tmp_path: Path) -> None:
    image = noise(tmp_path / "bios.bin", 1000)
    spec = DeviceSpec("reader", f"{PROBES}:Reader", {"file": {FILE: str(image)}})
    lab.ask(Configure("c", {"reader": spec}))
    with pytest.raises(Failed) as told:
        lab.ask(Run("c", f"{PROBES}:Switch", {}, {"power": "reader"}, 60.0))

    assert told.value.message == f"bios.bin {sha256(image)}"


def test_holes_and_what_can_be_packed_do_not_travel(
    counted: Relay, server: SshServer, tmp_path: Path
) -> None:
    lab = Files(server, port=counted.port)
    sparse, text = tmp_path / "sparse.img", tmp_path / "text.img"
    with sparse.open("wb") as file:
        file.truncate(300 * MIB)
        os.pwrite(file.fileno(), b"boot" * 1000, 100 * MIB)
    text.write_bytes(b"All work and no play makes Jack a dull boy.\n" * 500_000)
    before = counted.sent
    seen = lab.sees(sparse)
    middle = counted.sent

    assert (seen["sha256"], seen["blocks"] * 512 < MIB) == (sha256(sparse), True)
    assert middle - before < MIB
    assert lab.sees(text)["sha256"] == sha256(text)
    assert counted.sent - middle < 3 * MIB
    lab.agent.close()


# --- what stays ----------------------------------------------------------------------------------


def test_without_a_cache_the_host_is_as_before_even_when_the_agent_is_killed(
    server: SshServer, tmp_path: Path
) -> None:
    image = noise(tmp_path / "one.img")
    before = tree(server.home, server.temporary)
    for end in ("close", "kill"):
        lab = Files(server)
        lab.sees(image)
        assert tree(server.home, server.temporary) != before
        if end == "kill":
            os.kill(lab.run("Processes")[0], signal.SIGKILL)
            wait_until(lambda agent=lab.agent: bool(agent.lost), "its death is noticed", 60)
        lab.agent.close()
        wait_until(lambda: not list(server.temporary.iterdir()), "the files are gone", 60)
    assert tree(server.home) == {name: it for name, it in before.items() if "home" in name}


def test_what_killed_agents_and_wardens_have_left_is_removed_by_the_next(
    server: SshServer, tmp_path: Path
) -> None:
    image = noise(tmp_path / "one.img")
    lab = Files(server)
    (used,) = [Path(lab.sees(image)["path"]).parents[1]]
    other = Files(server)
    other.sees(image)
    assert used.is_dir()
    kill(reversed(lab.run("Processes")))
    wait_until(lambda: bool(lab.agent.lost), "its death is noticed", 60)
    lab.agent.close()
    last = Files(server)
    last.sees(image)

    assert not used.exists()
    for each in (other, last):
        each.agent.close()


def test_with_a_cache_the_next_run_sends_nothing(server: SshServer, tmp_path: Path) -> None:
    image = noise(tmp_path / "one.img")
    paths = []
    for sent in (True, False):
        lab = Files(server, cache="~/kept")
        paths.append(lab.sees(image)["path"])
        assert lab.was_sent is sent
        lab.agent.close()

    assert paths == [str(server.home / "kept" / sha256(image) / "one.img")] * 2
    assert not list(server.temporary.iterdir())


def test_a_changed_file_in_the_cache_is_never_used(server: SshServer, tmp_path: Path) -> None:
    image = noise(tmp_path / "one.img", 1000)
    for sent in (True, True):
        lab = Files(server, cache=str(server.home / "kept"))
        seen = lab.sees(image)
        assert (seen["sha256"], lab.was_sent) == (sha256(image), sent)
        lab.agent.close()
        Path(seen["path"]).chmod(0o644)
        Path(seen["path"]).write_bytes(b"x" * 1000)


def test_the_cache_keeps_what_was_used_last_and_spares_what_others_use(
    server: SshServer, tmp_path: Path
) -> None:
    one, two, three = (noise(tmp_path / f"{each}.img", MIB) for each in range(3))
    kept = server.home / "kept"
    other = Files(server, cache=str(kept))
    other.sees(one)
    lab = Files(server, cache=str(kept), cache_size=2 * MIB + 100_000)
    lab.sees(two)
    lab.agent.close()
    lab = Files(server, cache=str(kept), cache_size=2 * MIB + 100_000)
    lab.sees(three)

    assert {each.name for each in kept.iterdir()} == {"CACHEDIR.TAG", sha256(one), sha256(three)}
    with pytest.raises(LabError, match=r"a file of 4 MiB is larger than the cache on the host, 2.095 MiB"):
        lab.sees(noise(tmp_path / "four.img", 4 * MIB))
    for each in (lab, other):
        each.agent.close()


def test_a_cache_in_which_others_may_write_is_refused(server: SshServer, tmp_path: Path) -> None:
    (server.home / "kept").mkdir()
    (server.home / "kept").chmod(0o777)
    lab = Files(server, cache="~/kept")
    with pytest.raises(LabError, match="belongs to others, or others may write in it"):
        lab.sees(noise(tmp_path / "one.img", 10))
    lab.agent.close()


@pytest.mark.parametrize("damage", [False, True])
def test_what_has_arrived_before_a_cut_is_not_sent_again_unless_it_is_damaged(
    server: SshServer, counted: Relay, tmp_path: Path, damage: bool
) -> None:
    image = noise(tmp_path / "one.img", 24 * MIB)
    part = server.home / "kept" / f"{sha256(image)}.part"
    cut = Files(server, cache="~/kept", port=counted.port)
    pid = cut.run("Processes")[0]
    counted.at(counted.sent + 12 * MIB, lambda: os.kill(pid, signal.SIGKILL))
    with pytest.raises(LabError, match="killed by SIGKILL"):
        cut.ask(Run("b", f"{PROBES}:Sees", {"file": {FILE: str(image)}}, {}, 60.0), cut.heard.append)
    cut.agent.close()
    arrived = part.stat().st_size
    assert 0 < arrived < 24 * MIB
    if damage:
        with part.open("r+b") as file:
            file.write(b"not what was sent")
    before = counted.sent
    lab = Files(server, cache="~/kept", port=counted.port)
    seen = lab.sees(image)
    lab.agent.close()

    assert seen["sha256"] == sha256(image)
    assert not part.exists()
    again = counted.sent - before
    assert again > 24 * MIB if damage else again < 24 * MIB - arrived + 2 * MIB


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_source_that_changes_while_it_is_sent_is_an_error_and_nothing_is_used(
    lab: Files, tmp_path: Path
) -> None:
    image = noise(tmp_path / "one.img", 24 * MIB)

    def change(heard: Heard) -> None:
        if isinstance(heard, Advanced) and heard.done == 0:
            noise(image, 24 * MIB)

    with pytest.raises(RecipeFault, match=r"one.img has changed while it was sent"):
        lab.ask(Run("b", f"{PROBES}:Sees", {"file": {FILE: str(image)}}, {}, 60.0), change)
    assert lab.sees(image)["sha256"] == sha256(image)


def test_a_source_that_cannot_be_read_is_an_error_that_names_it(lab: Files, tmp_path: Path) -> None:
    with pytest.raises(RecipeFault, match="cannot read '.*': Is a directory"):
        lab.sees(tmp_path)
    with pytest.raises(RecipeFault, match=r"cannot read '/proc/self/mem': Input/output error"):
        lab.sees("/proc/self/mem")


@pytest.mark.peer("tmpfs")
def test_a_full_disk_is_named_before_and_while_it_is_written(server: SshServer, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "t", str(small)], check=True)
    try:
        lab = Files(server, cache=str(small / "kept"))
        with pytest.raises(LabError) as refused:
            lab.sees(noise(tmp_path / "one.img", 3 * MIB))
        assert refused.match(
            rf"no room for one.img \(3 MiB\) on the host: .* at {small} has 1.\d+ MiB free of 2 MiB"
        )
        assert not lab.was_sent
        lab.agent.close()
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_limit_that_the_disk_sets_in_the_middle_is_an_error_that_says_how_far_it_came(
    server: SshServer, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -f 2048\nexec {PYTHON} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    lab = Files(server, python=str(python))
    with pytest.raises(LabError) as refused:
        lab.sees(noise(tmp_path / "one.img", 3 * MIB))
    lab.agent.close()

    assert refused.match(r"no room for one.img \(3 MiB\) on the host: File too large; the file system at ")
    assert not list(server.temporary.iterdir())


def test_a_limit_in_time_is_an_error_of_the_lab_that_names_the_limit(lab: Files, tmp_path: Path) -> None:
    image = noise(tmp_path / "one.img", 24 * MIB)
    request = Run("b", f"{PROBES}:Sees", {"file": {FILE: str(image)}}, {}, 0.05, "the step's timeout of 50ms")
    with pytest.raises(
        LabError, match="one.img was not on host 'shelf1' in time, .* the step's timeout of 50ms"
    ):
        lab.ask(request)
    assert lab.sees(image)["sha256"] == sha256(image)


# --- our own code --------------------------------------------------------------------------------


def test_with_a_cache_the_next_start_sends_almost_nothing(server: SshServer, counted: Relay) -> None:
    sent = []
    for _ in range(2):
        before = counted.sent
        lab = Files(server, cache="~/kept", port=counted.port)
        assert lab.run("Echo", text="x", number=1) == ["x", 1]
        lab.agent.close()
        sent.append(counted.sent - before)

    assert sent[0] > 100_000
    assert sent[1] < 30_000


def test_changed_code_in_the_cache_is_never_run_and_sent_again(server: SshServer, tmp_path: Path) -> None:
    first = Files(server, cache="~/kept")
    first.agent.close()
    (kept,) = (server.home / "kept").glob("*/.runner-code")
    good, trap = kept.read_bytes(), tmp_path / "trapped"
    evil = f"open({str(trap)!r}, 'w')"
    sources = {name: (file, evil) for name, (file, _) in unpack_sources(good).items()}
    kept.write_bytes(pack_sources(sources))
    lab = Files(server, cache="~/kept")

    assert lab.run("Echo", text="x", number=1) == ["x", 1]
    assert not trap.exists()
    assert kept.read_bytes() == good
    lab.agent.close()


def test_a_cache_that_cannot_be_written_is_said_and_the_run_goes_on(server: SshServer) -> None:
    lab = Files(server, cache="/proc/kept")
    assert lab.run("Echo", text="x", number=1) == ["x", 1]
    lab.agent.close()

    assert [each.text for each in lab.said] == [
        "the code was not kept in the cache: /proc/kept: No such file or directory"
    ]
