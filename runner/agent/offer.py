"""Offers a console to other processes of this user: they see what comes, and may take the input.

The agent that holds a console listens on a Unix socket beside the locks, mode 0600. The console's
reader never waits for anybody who is attached: what they have not read is kept up to `KEPT` bytes,
and who is slower than that is dropped with a note. The socket vanishes with the agent.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.agent.attach import farewell, read_greeting, received, remark, welcome
from runner.agent.consoles import Chunk, pack_chunk
from runner.agent.frames import FrameReader, Kind, ProtocolError
from runner.api.verdicts import Verdict

KEPT = 2**20
"""Bytes that wait for one slow reader; then it is dropped."""
RECENT = 16 * 1024
"""Bytes from before it attached that a reader gets first."""
_READ = 64 * 1024
_LAST_WORDS_WITHIN = 10.0
"""Seconds that a dropped reader gets to read what is kept for it, and why."""
_ENDS_WITHIN = 1.0
_PEER = struct.Struct("3i")
"""struct ucred of unix(7): process, user, group."""


class Reader:
    """Somebody who is attached."""

    def __init__(self, connection: socket.socket) -> None:
        """Wait for its greeting."""
        self.connection = connection
        self.frames = FrameReader()
        self.waiting = bytearray()
        self.who = _peer(connection)
        self.attached = False
        self.typing = False
        self.typed = 0
        self.until: float | None = None
        """When its time for the last words is over."""

    def add(self, data: bytes) -> None:
        """Keep something for it; beyond `KEPT` bytes it is dropped."""
        if self.until is not None:
            return
        if len(self.waiting) + len(data) > KEPT:
            self.leave(f"dropped: more than {KEPT} bytes were waiting to be read; the recipe goes on")
            return
        self.waiting += data

    def leave(self, why: str) -> None:
        """Say why it ends; nothing is kept for it any more."""
        if self.until is None:
            self.waiting += farewell(why)
            self.until = time.monotonic() + _LAST_WORDS_WITHIN

    @property
    def done(self) -> bool:
        """Whether it has had its last words, or the time for them."""
        return self.until is not None and (not self.waiting or time.monotonic() >= self.until)


class Offer:
    """One console's socket and those who are attached to it, served by one thread."""

    def __init__(self, path: Path, name: str, tell: Callable[[str], None]) -> None:
        """Make the socket (raises OSError); `tell` hears who takes the input. `begin` serves."""
        self._path = path
        self._name = name
        self._tell = tell
        self._listener = listening(path)
        self._lock = threading.Lock()
        self._readers: dict[int, Reader] = {}
        self._recent: deque[Chunk] = deque()
        self._held = 0
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closing = False
        self._ended = False
        self._thread: threading.Thread | None = None

    def begin(self, type_in: Callable[[bytes], None]) -> None:
        """Serve from now on; `type_in` types on the console and raises a verdict when it cannot."""
        self._thread = threading.Thread(
            target=self._serve, args=(type_in,), name=f"offer {self._name}", daemon=True
        )
        self._thread.start()

    def hear(self, chunk: Chunk) -> None:
        """Take what the console has received; never waits for a reader."""
        with self._lock:
            self._recent.append(chunk)
            self._held += len(chunk.data)
            while self._held > RECENT and len(self._recent) > 1:
                self._held -= len(self._recent.popleft().data)
            attached = [reader for reader in self._readers.values() if reader.attached]
            for reader in attached:
                _give(reader, chunk)
        if attached:
            self._ring()

    def close(self) -> None:
        """Send everybody away and take the socket away."""
        self._closing = True
        self._ring()
        if self._thread is None:
            self._end()
        else:
            self._thread.join(_ENDS_WITHIN)

    def _ring(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):  # it rings already
            if not self._ended:
                os.write(self._wake, b"\0")

    def _serve(self, type_in: Callable[[bytes], None]) -> None:
        try:
            while not self._closing:
                for descriptor, _event in self._poll().poll(self._patience()):
                    self._attend(descriptor, type_in)
                self._write()
        finally:
            self._end()

    def _poll(self) -> select.poll:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        poll.register(self._listener.fileno(), select.POLLIN)
        with self._lock:
            for descriptor, reader in self._readers.items():
                poll.register(descriptor, select.POLLIN | (select.POLLOUT if reader.waiting else 0))
        return poll

    def _patience(self) -> float | None:
        """Return the milliseconds until a dropped reader's time is over; None when there is none."""
        times = [reader.until for reader in self._readers.values() if reader.until is not None]
        return max(0.0, min(times) - time.monotonic()) * 1000 + 1 if times else None

    def _attend(self, descriptor: int, type_in: Callable[[bytes], None]) -> None:
        if descriptor == self._woken:
            os.read(self._woken, 4096)
        elif descriptor == self._listener.fileno():
            self._accept()
        elif descriptor in self._readers:
            self._read(self._readers[descriptor], type_in)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # whoever it was has left already
            connection, _address = self._listener.accept()
            connection.setblocking(False)
            reader = Reader(connection)
            with self._lock:
                self._readers[connection.fileno()] = reader

    def _read(self, reader: Reader, type_in: Callable[[bytes], None]) -> None:
        try:
            data = reader.connection.recv(_READ)
            if not data:
                self._forget(reader)
            for heard in reader.frames.feed(data):
                if not reader.attached:
                    self._attach(reader, steal=read_greeting(heard).steal)
                elif heard.kind is Kind.DATA:
                    self._type(reader, heard.payload, type_in)
                else:
                    raise ProtocolError(f"a reader does not say {heard.kind.name}")
        except BlockingIOError:
            return
        except ProtocolError as error:
            with self._lock:
                reader.leave(str(error))
        except OSError:
            self._forget(reader)

    def _attach(self, reader: Reader, *, steal: bool) -> None:
        with self._lock:
            reader.attached, reader.typing = True, steal
            reader.add(welcome())
            for chunk in self._recent:
                _give(reader, chunk)
        if steal:
            self._tell(f"console {self._name}: input taken by {reader.who}")

    def _type(self, reader: Reader, data: bytes, type_in: Callable[[bytes], None]) -> None:
        if not reader.typing:
            raise ProtocolError("this reader may not type")
        try:
            type_in(data)
            reader.typed += len(data)
        except Verdict as error:
            with self._lock:
                reader.add(remark(error.message))

    def _write(self) -> None:
        """Send what can be sent; forget those who are gone."""
        with self._lock:
            readers = tuple(self._readers.values())
            gone = [each for each in readers if (each.waiting and not _sent(each)) or each.done]
        for reader in gone:
            self._forget(reader)

    def _forget(self, reader: Reader) -> None:
        with self._lock:
            known = self._readers.pop(reader.connection.fileno(), None)
        if known is None:
            return
        reader.connection.close()
        if reader.typing:
            self._tell(f"console {self._name}: input given back by {reader.who}, {reader.typed} bytes typed")

    def _end(self) -> None:
        self._listener.close()
        with contextlib.suppress(OSError):  # somebody may have tidied up
            self._path.unlink()
        for reader in tuple(self._readers.values()):
            with self._lock:
                reader.leave("the console was closed")
                _sent(reader)
            self._forget(reader)
        with self._lock:
            self._ended = True
            os.close(self._woken)
            os.close(self._wake)


def listening(path: Path) -> socket.socket:
    """Return a listening socket at `path` that only its user can connect to; raise OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with short(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen()  # nobody can connect before this
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def short(path: Path) -> Iterator[str]:
    """Give an address of a socket that is never too long: unix(7) allows 107 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _give(reader: Reader, chunk: Chunk) -> None:
    for payload in pack_chunk(chunk):
        reader.add(received(payload))


def _sent(reader: Reader) -> bool:
    """Send what the reader takes now; False when it is gone."""
    try:
        del reader.waiting[: reader.connection.send(reader.waiting)]
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _peer(connection: socket.socket) -> str:
    """Return who is at the other end, as the kernel knows it (unix(7), SO_PEERCRED)."""
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    process, user, _group = _PEER.unpack(peer)
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    return f"{name}@{os.uname().nodename} (process {process})"
