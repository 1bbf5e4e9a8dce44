"""A console that is offered to other processes, over a real socket."""

import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.agent.attach import Greeting, greeting, typed, words
from runner.agent.consoles import unpack_chunk
from runner.agent.frames import Frame, FrameReader, Kind
from runner.agent.offer import KEPT, RECENT, Offer, short
from runner.api import LabError
from runner.console import Chunk

LIMIT = 30.0


class Desk:
    """An offer, what is typed through it, and what its run is told."""

    def __init__(self, folder: Path) -> None:
        far = folder / ("long" * 30)
        far.mkdir()
        self.path = far / "b@uart@1.console"
        self.sockets: list[socket.socket] = []
        self.told: list[str] = []
        self.typed = b""
        self.came = threading.Condition()
        self.refuses = False
        self.offer = Offer(self.path, "uart of bench b", self.tell)
        self.offer.begin(self.type_in)
        self.index = 0

    def tell(self, text: str) -> None:
        with self.came:
            self.told.append(text)
            self.came.notify_all()

    def type_in(self, data: bytes) -> None:
        if self.refuses:
            raise LabError("the port is gone")
        with self.came:
            self.typed += data
            self.came.notify_all()

    def say(self, data: bytes) -> None:
        self.offer.hear(Chunk(self.index, 1, 2, data))
        self.index += len(data)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        with self.came:
            assert self.came.wait_for(holds, LIMIT), (self.typed, self.told)


class Count:
    """A number that grows, to be waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value = 0

    def set(self, value: int) -> None:
        with self._changed:
            self._value = value
            self._changed.notify_all()

    def wait_for(self, least: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._value >= least, LIMIT), self._value


class Reader:
    """Somebody who attaches."""

    def __init__(self, desk: Desk, *, steal: bool = False, greet: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        desk.sockets.append(self.socket)
        self.socket.settimeout(LIMIT)
        with short(desk.path) as address:
            self.socket.connect(address)
        self.frames = FrameReader()
        self.heard: list[Frame] = []
        self.had = Count()
        if greet:
            self.socket.sendall(greeting(Greeting(steal=steal)))
            assert self.next().kind is Kind.HELLO

    def next(self) -> Frame:
        while not self.heard:
            data = self.socket.recv(65536)
            assert data, "the offer hung up"
            self.heard = self.frames.feed(data)
        return self.heard.pop(0)

    def bytes(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            found += unpack_chunk(self.next().payload, "b", "uart").data
            self.had.set(len(found))
        return bytes(found)

    def rest(self) -> list[Frame]:
        found = self.heard
        while data := self.socket.recv(65536):
            found.extend(self.frames.feed(data))
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.offer.close()
    for each in desk.sockets:
        each.close()


def test_every_reader_gets_every_byte(desk: Desk) -> None:
    readers = [Reader(desk), Reader(desk)]
    desk.say(b"\x00\xff")
    desk.say(b"login: ")

    assert [each.bytes(9) for each in readers] == [b"\x00\xfflogin: "] * 2


def test_a_reader_sees_what_came_lately_first(desk: Desk) -> None:
    for _ in range(5):
        desk.say(b"x" * RECENT)
    desk.say(b"prompt")

    assert Reader(desk).bytes(6).endswith(b"prompt")


def test_the_socket_is_its_users_alone_and_goes_with_the_offer(desk: Desk) -> None:
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o600
    reader = Reader(desk)
    desk.offer.close()

    assert not desk.path.exists()
    assert [words(each) for each in reader.rest()] == ["the console was closed"]


def test_who_only_reads_cannot_type(desk: Desk) -> None:
    reader = Reader(desk)
    reader.socket.sendall(typed(b"reboot\r"))

    assert [words(each) for each in reader.rest()] == ["this reader may not type"]
    assert desk.typed == b""
    assert desk.told == []


def test_who_takes_the_input_types_and_the_run_is_told(desk: Desk) -> None:
    reader = Reader(desk, steal=True)
    reader.socket.sendall(typed(b"reb") + typed(b"oot\r"))
    desk.wait_until(lambda: desk.typed == b"reboot\r")
    reader.socket.close()
    desk.wait_until(lambda: len(desk.told) == 2)

    taken, given_back = desk.told
    assert "console uart of bench b: input taken by " in taken
    assert "input given back by " in given_back
    assert given_back.endswith(", 7 bytes typed")


def test_a_port_that_is_gone_is_told_to_who_types(desk: Desk) -> None:
    reader = Reader(desk, steal=True)
    desk.refuses = True
    reader.socket.sendall(typed(b"x"))

    assert words(reader.next()) == "the port is gone"


def test_garbage_ends_only_who_sends_it(desk: Desk) -> None:
    good, bad = Reader(desk), Reader(desk, greet=False)
    bad.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert bad.rest()[-1].kind is Kind.ERROR
    desk.say(b"on")

    assert good.bytes(2) == b"on"


def test_a_slow_reader_is_dropped_with_a_note_and_holds_up_nobody(desk: Desk) -> None:
    slow, quick = Reader(desk), Reader(desk)
    total, piece = 4 * KEPT, b"y" * 8192
    got: list[bytes] = []
    listening = threading.Thread(target=lambda: got.append(quick.bytes(total)))
    listening.start()
    longest = 0.0
    for sent in range(0, total, len(piece)):
        began = time.monotonic()
        desk.say(piece)
        longest = max(longest, time.monotonic() - began)
        quick.had.wait_for(sent - KEPT // 2)
    listening.join(LIMIT)

    assert got == [b"y" * total]
    assert longest < 5.0
    left = slow.rest()
    assert left[-1].kind is Kind.ERROR
    assert words(left[-1]).startswith(f"dropped: more than {KEPT} bytes")
    assert sum(len(each.payload) for each in left) < 2 * KEPT
