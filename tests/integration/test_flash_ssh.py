"""flash and dump over SSH: a real OpenSSH server is the board that runs."""

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.context import StepContext
from support.media import call, loop, mounted, over_ssh
from support.plain_context import PlainContext
from support.relay import relay
from support.ssh_server import SshServer, ssh_server

from runner.api import FilePath, LabError, Size, TargetPath, Unreachable
from runner.modules.storage.card import InUse
from runner.modules.storage.dump import Dump
from runner.modules.storage.flash import Flash
from runner.modules.storage.ssh_disk import SshDisk

pytestmark = pytest.mark.peer("sshd")
CONTENT = os.urandom(5 * 2**20 + 100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("board") / "s") as it:
        yield it


@pytest.fixture
def disk(server: SshServer, tmp_path: Path) -> Iterator[SshDisk]:
    it = over_ssh(server, tmp_path / "my disk")
    it.open()
    yield it
    it.close()


@pytest.fixture
def image(tmp_path: Path) -> FilePath:
    path = tmp_path / "image.gz"
    path.write_bytes(gzip.compress(CONTENT, 1))
    return FilePath(path)


def test_an_image_goes_to_a_running_board_and_back(disk: SshDisk, image: FilePath, tmp_path: Path) -> None:
    context = StepContext()

    result = Flash(image=image, storage=disk).run(context)
    again = Flash(image=image, skip_if_same=True, storage=disk).run(context)
    Dump(to=TargetPath("part"), offset=Size(1000), length=Size(5000), storage=disk).run(context)

    assert (tmp_path / "my disk").read_bytes() == CONTENT
    assert (result.sha256, result.verified) == (hashlib.sha256(CONTENT).hexdigest(), "full")
    assert again.bytes_written == 0
    assert context.artifacts["part"] == CONTENT[1000:6000]


def test_a_board_whose_disk_is_full_says_so(server: SshServer, image: FilePath) -> None:
    disk = over_ssh(server, "/dev/full")
    disk.open()
    with pytest.raises(LabError, match="/dev/full of .*No space left on device"):
        Flash(image=image, force=True, storage=disk).run(PlainContext())
    disk.close()


@pytest.mark.peer("loop")
def test_a_disk_that_the_board_has_mounted_is_refused(
    server: SshServer, image: FilePath, tmp_path: Path
) -> None:
    backing = tmp_path / "backing"
    backing.write_bytes(bytes(4 * 2**20))
    with loop(backing) as device:
        call("mkfs.ext4", "-q", device)
        disk = over_ssh(server, device)
        disk.open()
        assert disk.size() == 4 * 2**20
        with mounted(device, tmp_path / "there") as where, pytest.raises(InUse, match=f"mounted at {where}"):
            Flash(image=image, storage=disk).run(PlainContext())
        disk.close()


def test_a_board_that_is_not_there_or_does_not_know_us_is_unreachable(
    server: SshServer, tmp_path: Path
) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        SshDisk(address="127.0.0.1", port=1, path="/dev/x").open()
    disk = over_ssh(server, "/dev/x")
    stranger = tmp_path / "key"
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger)
    disk.identity_file = str(stranger)
    with pytest.raises(Unreachable, match="Permission denied"):
        disk.open()


def test_a_board_that_goes_away_is_the_labs_fault(server: SshServer, image: FilePath, tmp_path: Path) -> None:
    with relay(server.port) as way:
        disk = over_ssh(server, tmp_path / "disk")
        disk.port = way.port
        disk.options.append(f"HostKeyAlias=[{server.address}]:{server.port}")
        disk.open()
        disk.write(0, CONTENT[:4096])
    with pytest.raises(LabError):
        Flash(image=image, storage=disk).run(PlainContext())
    disk.close()
