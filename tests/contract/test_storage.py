"""What every driver that offers Storage does."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.media import over_ssh
from support.ssh_server import ssh_server

from runner.api import Driver, LabError, Size, Storage, Unreachable
from runner.modules.machine.options import Disk
from runner.modules.machine.qemu import Qemu
from runner.modules.sim.sim import Sim
from runner.modules.storage.file import File


class Opener:
    """Opens drivers, and what they need; closed by the test's end."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    def __call__(self, driver: Driver) -> None:
        driver.open()
        self.stack.callback(driver.close)


CAPACITY = Size("2MiB")


def _growing(folder: Path, opened: Opener) -> Storage:
    driver = File(path=str(folder / "file"))
    opened(driver)
    return driver


def _limited(folder: Path, opened: Opener) -> Storage:
    driver = File(path=str(folder / "file"), capacity=CAPACITY)
    opened(driver)
    return driver


def _sim(_folder: Path, opened: Opener) -> Storage:
    driver = Sim(capacity=CAPACITY)
    opened(driver)
    return driver.storage()


def _sim_with_file(folder: Path, opened: Opener) -> Storage:
    driver = Sim(image=str(folder / "image"), capacity=CAPACITY)
    opened(driver)
    return driver.storage()


def _qemu(_folder: Path, opened: Opener) -> Storage:
    driver = Qemu(disk=Disk(capacity=CAPACITY))
    opened(driver)
    return driver.storage()


def _over_ssh(folder: Path, opened: Opener) -> Storage:
    server = opened.stack.enter_context(ssh_server(folder / "board"))
    driver = over_ssh(server, folder / "disk")
    (folder / "disk").touch()
    opened(driver)
    return driver


LIMITED = [
    pytest.param(_limited, id="file with a capacity"),
    pytest.param(_sim, id="sim"),
    pytest.param(_sim_with_file, id="sim with a file"),
    pytest.param(_qemu, id="qemu"),
]
ALL = [
    pytest.param(_growing, id="file"),
    pytest.param(_over_ssh, id="ssh", marks=pytest.mark.peer("sshd")),
    *LIMITED,
]


def _opened(make: Callable[[Path, Opener], Storage], folder: Path) -> Iterator[Storage]:
    with ExitStack() as stack:
        yield make(folder, Opener(stack))


@pytest.fixture(params=ALL)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    yield from _opened(request.param, tmp_path)


@pytest.fixture(params=LIMITED)
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    yield from _opened(request.param, tmp_path)


def test_what_is_written_is_read(storage: Storage) -> None:
    data = bytes(range(256)) * 4096
    storage.begin("")
    storage.write(0, data)
    storage.write(1000, b"in between")
    storage.flush()

    assert storage.read(0, 1000) == data[:1000]
    assert storage.read(1000, 10) == b"in between"
    assert storage.read(1010, len(data) - 1010) == data[1010:]
    storage.end()


def test_reading_beyond_the_end_gives_what_there_is(storage: Storage) -> None:
    storage.write(0, b"x" * 512)
    size = storage.size() or 512

    assert len(storage.read(size - 10, 100)) == 10
    assert storage.read(size, 100) == b""


def test_an_unknown_target_is_refused(storage: Storage) -> None:
    with pytest.raises(ValueError, match="no target 'bootloader'"):
        storage.begin("bootloader")


def test_it_says_how_much_it_holds(limited: Storage) -> None:
    assert limited.size() == CAPACITY


def test_writing_beyond_its_capacity_is_refused_and_writes_nothing(limited: Storage) -> None:
    limited.write(CAPACITY - 4, b"last")

    with pytest.raises(LabError, match="cannot write 5 bytes at 2097148"):
        limited.write(CAPACITY - 4, b"wrong")
    assert limited.read(CAPACITY - 4, 10) == b"last"


def test_a_growing_file_has_no_size(tmp_path: Path) -> None:
    driver = File(path=str(tmp_path / "file"))
    driver.open()

    assert driver.size() is None
    driver.close()


def test_what_was_written_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "image"
    driver = Sim(image=str(path))
    driver.open()
    driver.storage().write(0, b"release 9.9\n")
    driver.close()

    assert path.read_bytes().startswith(b"release 9.9\n")


def test_a_file_that_cannot_be_opened_is_unreachable(tmp_path: Path) -> None:
    driver = File(path=str(tmp_path / "no" / "folder"))

    with pytest.raises(Unreachable, match="No such file or directory"):
        driver.open()


def test_a_device_that_is_not_there_is_not_made() -> None:
    with pytest.raises(Unreachable, match="/dev/no-such-medium"):
        File(path="/dev/no-such-medium").open()
    assert not Path("/dev/no-such-medium").exists()


def test_a_disk_that_refuses_is_an_error_of_the_lab(tmp_path: Path) -> None:
    driver = File(path=str(tmp_path / "file"))
    driver.open()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(LabError, match=r"cannot write .*: File too large"):
            driver.write(0, bytes(8192))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        driver.close()


def test_a_machine_without_a_disk_says_so() -> None:
    driver = Qemu()
    driver.open()

    with pytest.raises(LabError, match="no medium"):
        driver.storage().write(0, b"x")
    driver.close()
