"""Writing a disk from a Linux in a board's memory: one guest in QEMU, and servers that do right and wrong."""

from __future__ import annotations

import hashlib
import lzma
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.peers import GUEST, UBOOT
from support.plain_context import PlainContext

from runner.api import Duration, Failed, FilePath, RecipeFault, Size, Unsupported
from runner.console import Console
from runner.modules.flasher.board_shell import BoardShell, Target
from runner.modules.flasher.flash_network import FlashNetwork
from runner.modules.flasher.loading import Lease, Limits, Loader, Part
from runner.modules.flasher.manifest import Loaded, Manifest
from runner.modules.flasher.phases import Phases
from runner.modules.flasher.writing import Download, Writer
from runner.modules.machine.options import Disk
from runner.modules.machine.qemu import Qemu
from runner.modules.servers.http_server import HttpServer
from runner.modules.servers.tftp_server import TftpServer

pytestmark = pytest.mark.peer("guest")

CONTENT = random.Random(3).randbytes(200_000) + b"x" * 12_345
PACKED = lzma.compress(CONTENT, preset=0)
LEASE = Lease("10.0.2.15", "255.255.255.0", "10.0.2.2")
LIMIT = Duration("5m")


@contextmanager
def machine(**options: object) -> Iterator[tuple[Qemu, Console]]:
    made = Qemu(start_limit=Duration("2m"), **options)
    made.open()
    console = made.console()
    console.start(lambda _chunk: None, "console")
    try:
        yield made, console
    finally:
        console.stop()
        made.close()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flash") / "disk"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    folder = tmp_path_factory.mktemp("www")
    (folder / "image").write_bytes(CONTENT)
    (folder / "image.xz").write_bytes(PACKED)
    (folder / "cut.xz").write_bytes(PACKED[:100_000])
    (folder / "large").write_bytes(bytes(2**20 + 1))
    made = HttpServer(root=str(folder), bind="127.0.0.1", advertise="10.0.2.2")
    made.open()
    made.start(PlainContext())
    yield made
    made.close()


@pytest.fixture(scope="module")
def shell(disk: Path) -> Iterator[BoardShell]:
    """The shell of a guest, with its network up."""
    options = {
        "kernel": str(GUEST / "Image"),
        "initrd": str(GUEST / "initrd.gz"),
        "append": "console=ttyAMA0",
    }
    with machine(**options, memory=Size("256MiB"), disk=Disk(path=str(disk), capacity=Size("1MiB"))) as found:
        (made, console), context = found, PlainContext()
        made.power().on()
        console.login(context, user="root", password="toor", within=LIMIT)
        shell = BoardShell(console, context, LIMIT)
        shell.connect(LEASE, "auto", "")
        yield shell


@pytest.fixture
def writer(shell: BoardShell) -> Writer:
    return Writer(shell, PlainContext(), LIMIT)


@pytest.fixture
def target(shell: BoardShell) -> Target:
    return shell.target("disk", {"disk": "/dev/vda"})


def download(url: str, compression: str = "none", **known: object) -> Download:
    """An image of which the board is told nothing more."""
    unknown = {"sha256": "", "size": None, "content_sha256": ""}
    return Download(url, compression, {}, "", False, **{**unknown, **known})


def known(url: str, compression: str = "none") -> Download:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return download(url, compression, size=len(CONTENT), content_sha256=digest)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server for one request, as the guest reaches it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(10_000)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://10.0.2.2:{listening.getsockname()[1]}/image"
        thread.join(60)


def test_what_is_written_is_on_the_disk_and_read_back(
    writer: Writer, target: Target, server: HttpServer, disk: Path
) -> None:
    written = writer.write(known(server.url("image.xz"), "xz"), target)
    writer.read_back(target, written)

    assert written == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert disk.read_bytes()[: len(CONTENT)] == CONTENT


def test_an_image_that_only_the_board_sees_is_summed_on_its_way(
    writer: Writer, target: Target, server: HttpServer
) -> None:
    digest = hashlib.sha256(PACKED).hexdigest()
    written = writer.write(download(server.url("image.xz"), "xz", sha256=digest), target)
    writer.read_back(target, written)

    assert written == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    with pytest.raises(Failed, match="has the SHA-256 .*, expected 000000000000…"):
        writer.write(download(server.url("image"), sha256="0" * 64), target)


def test_an_authority_needs_a_board_with_curl(writer: Writer, target: Target, server: HttpServer) -> None:
    devices: dict[str, Any] = {**dict.fromkeys(("console", "supply", "tftp")), "http": server}
    flash = FlashNetwork(
        bundle=FilePath("x"), url="https://10.0.2.2:1/image", ca_cert=FilePath("lab.pem"), **devices
    )
    with pytest.raises(Unsupported, match="the board has no curl, and its wget does not know authorities"):
        writer.write(flash.download(PlainContext()), target)
    trusting = FlashNetwork(bundle=FilePath("x"), url="https://10.0.2.2:1/image", **devices)
    with pytest.raises(
        Unsupported, match="BusyBox's wget takes any certificate: nothing was written"
    ) as told:
        writer.write(trusting.download(PlainContext()), target)
    assert "insecure_tls: true" in told.value.hint


def test_a_medium_that_does_not_keep_it_is_noticed(
    writer: Writer, target: Target, shell: BoardShell, server: HttpServer
) -> None:
    written = writer.write(known(server.url("image")), target)
    shell.run("printf wrong | dd of=/dev/vda bs=1 seek=1000 conv=notrunc 2>/dev/null")
    with pytest.raises(Failed, match="/dev/vda does not keep what was written"):
        writer.read_back(target, written)


def test_a_server_that_refuses_is_named_and_not_asked_again(
    writer: Writer, target: Target, server: HttpServer
) -> None:
    with pytest.raises(RecipeFault, match=r"the download ended with status \d+ \(.*404 Not Found\)"):
        writer.write(known(server.url("nothing")), target)


def test_a_download_that_breaks_off_is_no_image(writer: Writer, target: Target) -> None:
    def break_off(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(5000))

    with answering(break_off) as url, pytest.raises(Failed, match="the download ended with status 1"):
        writer.write(download(url), target)


def test_a_download_without_a_length_that_breaks_off_is_too_short(writer: Writer, target: Target) -> None:
    def break_off(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + CONTENT[:5000])

    with (
        answering(break_off) as url,
        pytest.raises(Failed, match="5000 bytes were written, expected 212345"),
    ):
        writer.write(known(url), target)


def test_an_image_that_is_cut_off_is_named_by_who_unpacks_it(
    writer: Writer, target: Target, server: HttpServer
) -> None:
    with pytest.raises(Failed, match=r"the unpack ended with status 1 \(xzcat: .*\)"):
        writer.write(known(server.url("cut.xz"), "xz"), target)


def test_a_disk_that_is_full_is_named_by_who_writes(
    writer: Writer, target: Target, server: HttpServer
) -> None:
    with pytest.raises(Failed, match=r"the write ended with status 1 \(.*No space left on device\)"):
        writer.write(download(server.url("large")), target)


def test_an_image_that_is_larger_than_the_disk_is_not_begun(writer: Writer, target: Target) -> None:
    with pytest.raises(
        RecipeFault, match="the image has 1048577 bytes, /dev/vda 1048576: nothing was written"
    ):
        writer.write(download("http://10.0.2.2:1/", size=2**20 + 1, content_sha256="0" * 64), target)


def test_a_download_that_stands_still_is_given_up(writer: Writer, target: Target, shell: BoardShell) -> None:
    ended = threading.Event()

    def stand_still(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(5000))
        ended.wait(60)

    impatient = Writer(
        BoardShell(shell._console, PlainContext(), Duration("2s")), PlainContext(), Duration("5m")
    )
    with answering(stand_still) as url:
        with pytest.raises(Failed, match="nothing has moved for 2s"):
            impatient.write(download(url), target)
        shell.run("kill $(pidof wget)")
        ended.set()


def test_a_target_is_found_by_its_address_on_the_bus(shell: BoardShell) -> None:
    assert shell.target("sd", {"sd": "/sys/class/block#virtio"}) == Target("/dev/vda", 2**20)


@pytest.mark.parametrize("wanted", ["emmc", "/dev/sda", "/dev/null"])
def test_a_target_that_is_not_there_is_told_with_those_that_are(shell: BoardShell, wanted: str) -> None:
    with pytest.raises(RecipeFault, match=f"no target '{wanted}'; its block devices are /dev/vda") as fault:
        shell.target(wanted, {"disk": "/dev/vda"})

    assert fault.value.hint == "the bundle names disk"


def test_a_target_that_is_mounted_is_left_alone(shell: BoardShell) -> None:
    shell.run("mkdir -p /mnt; mount -t tmpfs /dev/vda /mnt")
    try:
        with pytest.raises(RecipeFault, match="/dev/vda of the board is mounted"):
            shell.target("/dev/vda", {})
    finally:
        shell.run("umount /mnt")


LIMITS = Limits(Duration("60s"), Duration("50ms"), Duration("30s"), Duration("60s"), Duration("60s"))
MANIFEST = Manifest(
    name="",
    bootcmd="",
    kernel=Loaded("", ""),
    initram=None,
    dtb_address="",
    dtb_default="",
    variants={},
    targets={},
    default_target="",
    user="",
    password="",
    preflash=(),
    unknown=(),
)


def test_a_board_without_a_network_is_told_in_its_phase(tmp_path: Path) -> None:
    tftp = TftpServer(bind="127.0.0.1", port=0)
    tftp.open()
    context = PlainContext()
    with machine(bios=str(UBOOT), network=None) as (made, console):
        loader = Loader(console, made.power(), tftp, LIMITS, Phases(context))
        with pytest.raises(Failed, match="^DHCP in U-Boot: no address by DHCP: no network interface"):
            loader.boot(MANIFEST, [Part("kernel", tmp_path / "kernel", "41000000")], "boot", context)
    tftp.close()
