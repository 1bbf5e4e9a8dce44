"""The TFTP server: against other people's clients, and packet by packet."""

from __future__ import annotations

import os
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.plain_context import PlainContext
from support.tftp import Board, serving

from runner.api import LabError, RecipeFault
from runner.modules.servers import tftp_packets as packets
from runner.modules.servers.tftp_client import Asked, Client
from runner.modules.servers.tftp_server import TftpServer

ONCE_ROUND = 65536 * 512
LIMIT = 600
CONTENT = bytes(range(256)) * 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served")
    (made / "boot").mkdir()
    (made / "boot" / "kernel").write_bytes(CONTENT)
    (made / "text").write_bytes(b"one\ntwo\r\nthree\n")
    (made / "large").write_bytes(random.Random(1).randbytes(2**20) * 40)
    (made / "outside").symlink_to("/etc/passwd")
    (made / "empty").touch()
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[TftpServer]:
    with serving(folder, packet_timeout=0.05, retries=200) as made:
        yield made


@pytest.fixture
def board(server: TftpServer) -> Iterator[Board]:
    with Board(server) as made:
        yield made


def fetched(server: TftpServer, name: str, block_size: int = 1468, window: int = 1) -> bytes:
    content = bytearray()
    asked = Asked("127.0.0.1", server.port_number(), name, block_size, window, 1.0)
    Client(asked, content.extend, PlainContext()).fetch()
    return bytes(content)


@pytest.mark.peer("tftp")
def test_tftp_hpa_loads_more_than_65536_blocks(server: TftpServer, folder: Path, tmp_path: Path) -> None:
    command = ["tftp", "-m", "binary", "127.0.0.1", str(server.port_number()), "-c", "get", "large"]
    subprocess.run([*command, str(tmp_path / "got")], check=True, timeout=LIMIT)

    assert (folder / "large").stat().st_size > ONCE_ROUND
    assert (tmp_path / "got").read_bytes() == (folder / "large").read_bytes()


@pytest.mark.peer("tftp")
def test_tftp_hpa_loads_text_with_the_line_ends_of_its_machine(server: TftpServer, tmp_path: Path) -> None:
    command = ["tftp", "-m", "ascii", "127.0.0.1", str(server.port_number()), "-c", "get", "text"]
    subprocess.run([*command, str(tmp_path / "got")], check=True, timeout=LIMIT)

    assert (tmp_path / "got").read_bytes() == b"one\ntwo\r\nthree\n"


def test_line_ends_are_two_bytes_on_the_wire_and_a_carriage_return_alone_is_too(board: Board) -> None:
    board.send(packets.request("text", {}, mode="netascii"), board.server)

    assert board.hear() == packets.Data(1, b"one\r\ntwo\r\0\r\nthree\r\n")


@pytest.mark.peer("curl")
def test_curl_loads_in_large_blocks(server: TftpServer, folder: Path) -> None:
    url = f"tftp://127.0.0.1:{server.port_number()}/large"
    done = subprocess.run(
        ["curl", "-sS", "--tftp-blksize", "8192", url], check=True, capture_output=True, timeout=LIMIT
    )

    assert done.stdout == (folder / "large").read_bytes()


@pytest.mark.parametrize(("block_size", "window"), [(512, 64), (1468, 7), (65464, 1), (8, 1)])
@pytest.mark.parametrize("name", ["boot/kernel", "empty", "/boot//kernel"])
def test_every_size_of_blocks_and_windows_brings_the_same(
    server: TftpServer, folder: Path, block_size: int, window: int, name: str
) -> None:
    assert fetched(server, name, block_size, window) == (folder / name.lstrip("/")).read_bytes()


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"blksize": "1468"}, {"blksize": "1468"}),
        ({"blksize": "512"}, {"blksize": "512"}),
        ({"timeout": "7"}, {"timeout": "7"}),
        ({"tsize": "0"}, {"tsize": str(len(CONTENT))}),
        ({"BlkSize": "70000", "windowsize": "4"}, {"blksize": "65464", "windowsize": "1"}),
        ({"windowsize": "200"}, {"windowsize": "64"}),
        ({"unheard": "of", "timeout": "5", "blksize": "x"}, {"timeout": "5"}),
    ],
)
def test_options_are_granted_one_by_one(
    board: Board, options: dict[str, str], answer: dict[str, str]
) -> None:
    assert board.ask("boot/kernel", **options) == packets.OptionAck(answer)


@pytest.mark.parametrize("options", [{}, {"blksize": "7"}, {"timeout": "0"}, {"unheard": "of"}])
def test_without_an_option_to_grant_the_first_block_comes_at_once(
    board: Board, options: dict[str, str]
) -> None:
    assert board.ask("boot/kernel", **options) == packets.Data(1, CONTENT[:512])


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (packets.request("nothing", {}), packets.NOT_FOUND),
        (packets.request("boot", {}), packets.NOT_FOUND),
        (packets.request("../served0/text", {}), packets.ACCESS_VIOLATION),
        (packets.request("boot/../../x", {}), packets.ACCESS_VIOLATION),
        (packets.request("..\\x", {}), packets.ACCESS_VIOLATION),
        (packets.request("outside", {}), packets.ACCESS_VIOLATION),
        (packets.request("/etc/passwd", {}), packets.NOT_FOUND),
        (packets.request("text", {}, opcode=packets.WRITE), packets.ACCESS_VIOLATION),
        (packets.request("text", {}, mode="mail"), packets.ILLEGAL),
        (packets.ack(1), packets.ILLEGAL),
        (b"\0\x09text\0octet\0", packets.ILLEGAL),
        (b"\0\x01text\0octet", packets.ILLEGAL),
        (b"\0\x01te\xff\0octet\0", packets.ILLEGAL),
        (b"\0", packets.ILLEGAL),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_code_for_it(board: Board, packet: bytes, code: int) -> None:
    board.send(packet, board.server)
    answer = board.hear()

    assert isinstance(answer, packets.Error)
    assert answer.code == code


def test_a_block_that_got_lost_is_sent_again(board: Board) -> None:
    board.ask("boot/kernel")

    assert board.hear() == packets.Data(1, CONTENT[:512])


@pytest.mark.parametrize(("arrived", "again"), [(1, [2, 3, 4]), (0, [1, 2, 3])])
def test_a_block_that_got_lost_in_a_window_is_sent_again_from_there_on(
    folder: Path, arrived: int, again: list[int]
) -> None:
    with serving(folder, packet_timeout=60) as patient, Board(patient) as board:
        board.ask("boot/kernel", windowsize="3")
        board.send(packets.ack(0))
        blocks = [board.hear().block for _ in range(3)]
        board.send(packets.ack(arrived))

        assert blocks == [1, 2, 3]
        assert [board.hear().block for _ in range(3)] == again


def test_an_acknowledgement_that_comes_twice_has_nothing_sent_twice(folder: Path) -> None:
    with serving(folder, packet_timeout=60) as patient, Board(patient) as board:
        board.ask("boot/kernel")
        board.send(packets.ack(1))
        board.hear()
        board.send(packets.ack(1))
        board.send(packets.ack(1))
        board.send(packets.ack(2))

        assert board.hear() == packets.Data(3, CONTENT[1024:1536])


def test_a_request_that_comes_twice_is_one_transfer(folder: Path) -> None:
    with serving(folder, packet_timeout=60) as patient, Board(patient) as board:
        board.send(packets.request("boot/kernel", {}), board.server)
        board.send(packets.request("boot/kernel", {}), board.server)
        heard = [board.hear()]
        while heard[-1].payload:
            board.send(packets.ack(heard[-1].block))
            heard.append(board.hear())

        assert [each.block for each in heard] == [*range(1, 12)]


def test_a_stranger_on_the_port_of_a_transfer_is_sent_away_and_disturbs_nobody(
    server: TftpServer, board: Board
) -> None:
    board.ask("boot/kernel")
    with Board(server) as stranger:
        stranger.send(packets.ack(1), board.peer)
        answer = stranger.hear()

    assert isinstance(answer, packets.Error)
    assert answer.code == packets.UNKNOWN_TRANSFER
    board.send(packets.ack(1))
    while (heard := board.hear()).block == 1:
        pass
    assert heard == packets.Data(2, CONTENT[512:1024])


def test_a_transfer_that_the_board_ends_is_recorded_with_its_words(folder: Path) -> None:
    with serving(folder) as server, Board(server) as board:
        board.ask("boot/kernel", tsize="0")
        board.send(packets.error(8, "only wanted the size"))
        _, transfer = server.next(0, 30, PlainContext()) or (0, None)

    assert transfer is not None
    assert not transfer.complete
    assert transfer.problem == "the board ended it: options refused (only wanted the size)"


def test_a_board_that_vanishes_is_given_up(folder: Path) -> None:
    with serving(folder, packet_timeout=0.01, retries=2) as server, Board(server) as board:
        board.ask("boot/kernel")
        _, transfer = server.next(0, 30, PlainContext()) or (0, None)

    assert transfer is not None
    assert (transfer.complete, transfer.bytes) == (False, 0)
    assert transfer.problem == "no answer to block 1 in 3 times 0.01 s"


def test_stopping_ends_what_is_under_way(folder: Path) -> None:
    with serving(folder, packet_timeout=60) as server, Board(server) as board:
        board.ask("boot/kernel")
        server.stop()
        answer = board.hear()

    assert answer == packets.Error(0, "the server ends")
    _, transfer = server.next(0, 0, PlainContext()) or (0, None)
    assert transfer is not None
    assert transfer.problem == "the server was stopped"


def test_the_next_bench_gets_the_port_when_it_is_given_back(folder: Path) -> None:
    with serving(folder) as first:
        port = first.port_number()
    with serving(folder, port=port) as first:
        second = TftpServer(root=str(folder), bind="127.0.0.1", port=port, port_wait=60)
        second.open()
        said = _Waiting()
        waiting = threading.Thread(target=second.start, args=(said,))
        waiting.start()
        assert said.waits.wait(60)
        assert not second.running
        first.stop()
        waiting.join(60)

        assert second.running
        second.close()


def test_who_has_the_port_is_told_when_it_is_not_given_back_in_time(folder: Path) -> None:
    with serving(folder) as first:
        port = first.port_number()
    with serving(folder, port=port):
        second = TftpServer(root=str(folder), bind="127.0.0.1", port=port, port_wait=0.01)
        second.open()
        with pytest.raises(LabError, match=f"in use by process {os.getpid()} of this host"):
            second.start(PlainContext())


def test_a_port_that_another_program_has_is_an_error(folder: Path) -> None:
    with serving(folder) as first:
        second = TftpServer(bind="127.0.0.1", port=first.port_number())
        second.open()
        with pytest.raises(
            LabError, match=r"cannot listen on 127.0.0.1 port \d+/udp for TFTP: Address already"
        ):
            second.start(PlainContext())


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_an_address_that_no_board_can_use_is_refused(address: str) -> None:
    with pytest.raises(RecipeFault, match=f"no board can connect to {address}"):
        TftpServer(advertise=address).open()
    assert [each.argument for each in TftpServer.misfits({"advertise": address, "bind": "here"})] == [
        "bind",
        "advertise",
    ]


class _Waiting(PlainContext):
    """Tells when the step says that it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def log(self, text: str, level: str = "info") -> None:
        self.waits.set()
