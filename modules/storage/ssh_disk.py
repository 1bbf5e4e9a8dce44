"""The disk of a board that runs Linux and can be reached by SSH, written and read with dd."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import tempfile
import threading
from pathlib import Path

from runner.api import Driver, Duration, LabError, Needs, Size, Storage, Unreachable, arg
from runner.api.process import end, popen

_CONNECTION_FAILED = 255
"""ssh(1), EXIT STATUS."""
_STATISTICS = re.compile(r"records (in|out)$|bytes .*copied")
"""What dd says in any case."""
_LARGEST_BLOCK = 4 * 2**20


class SshDisk(Driver, Storage):
    """A disk or file of a running board, written over SSH from the bench's host.

    The programs ssh of the host and dd of the board (coreutils or busybox) do the work; keys, known
    hosts and jumps are those of the ssh configuration there, and nobody is asked for a password. A
    disk of which something is mounted is refused unless the step says ``force: true``.

    Example::

        devices:
          emmc: {driver: ssh_disk, address: root@192.168.1.40, path: /dev/mmcblk1}
    """

    address: str = arg(help="the board, as ssh takes it: user@host, or a name of its configuration")
    path: str = arg(help="the block device, or the file, on the board")
    port: int | None = arg(default=None, help="its port", minimum=1, maximum=65535)
    identity_file: str = arg(default="", help="the private key on the host; empty: what ssh finds")
    options: list[str] = arg(
        default=[], help="more of its configuration, as in StrictHostKeyChecking=accept-new"
    )
    limit: Duration = arg(default=Duration("20s"), help="how long connecting and short commands may take")

    def needs(self) -> Needs:
        """Return ssh."""
        return Needs(programs={"ssh": "openssh-client"})

    def open(self) -> None:
        """Connect; all commands go over this connection. Raise Unreachable when that fails."""
        self._stream: _Stream | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="runner-ssh-")
        self._socket = str(Path(self._folder.name, "s"))
        told = ("ControlMaster=yes", "PermitLocalCommand=yes", "LocalCommand=echo connected")
        self._master = popen([*self._ssh(*told), "-N", self.address])
        try:
            self._await_connection()
        except BaseException:
            self._let_go()
            raise

    def close(self) -> None:
        """End the connection."""
        self._stop()
        self._let_go()

    def size(self) -> Size | None:
        """Return how many bytes it holds; None for a file that grows."""
        path = shlex.quote(self.path)
        said = self._ask(f"test ! -b {path} || blockdev --getsize64 {path}", self.limit)
        return Size(int(said)) if said else None

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; what follows one another goes in one stream."""
        self._streaming("write", offset).write(data)

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end."""
        return self._streaming("read", offset).read(length)

    def flush(self) -> None:
        """Return when the board's disk has everything."""
        self._stop()
        self._ask("sync")

    def forget(self) -> None:
        """Have the board read its disk and not its memory, where we may (proc(5), drop_caches)."""
        self._stop()
        self._ask("test ! -w /proc/sys/vm/drop_caches || echo 3 > /proc/sys/vm/drop_caches")

    def refusal(self) -> str:
        """Say which part of the disk the board has mounted."""
        path = shlex.quote(self.path)
        mounts = self._ask(f"test ! -b {path} || cat /proc/mounts", self.limit)
        for line in mounts.splitlines():
            device, where = line.split()[:2]
            if device.startswith(self.path):
                return f"{device} of {self.address} is mounted at {where}"
        return ""

    def begin(self, target: str) -> None:
        """End what was going on."""
        super().begin(target)
        self._stop()

    def end(self) -> None:
        """End what is going on."""
        self._stop()

    def _streaming(self, doing: str, offset: int) -> _Stream:
        stream = self._stream
        if stream is None or (stream.doing, stream.place) != (doing, offset):
            self._stop()
            stream = self._stream = _Stream(doing, offset, self)
        return stream

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _ask(self, command: str, limit: float | None = None) -> str:
        """Run a command on the board within `limit` seconds, and return what it prints."""
        process = popen([*self._ssh(), self.address, command])
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            raise Unreachable(
                f"{self.address} did not answer within {self.limit}: {command}",
                evidence={"limit": float(self.limit), "limit_origin": "limit"},
            ) from error
        finally:
            end(process)
            _close(process)
        self.judge(process.returncode, errors)
        return output.decode(errors="replace").strip()

    def judge(self, status: int, errors: bytes) -> None:
        """Raise what an exit status of ssh means, if it means something."""
        if status == 0:
            return
        said = errors.decode(errors="replace").strip()
        lines = [line for line in said.splitlines() if not _STATISTICS.search(line)]
        last = lines[-1] if lines else f"exit status {status}"
        kind = Unreachable if status == _CONNECTION_FAILED else LabError
        raise kind(f"{self.path} of {self.address}: {last}", evidence={"output": said, "status": status})

    def remote(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command on the board."""
        return popen([*self._ssh(), self.address, command], stdin=subprocess.PIPE)

    def _ssh(self, *more: str) -> list[str]:
        given = ["BatchMode=yes", f"ConnectTimeout={max(1, round(self.limit))}", "ServerAliveInterval=5"]
        given += ["ServerAliveCountMax=3", f"ControlPath={self._socket}", *self.options, *more]
        given += [f"Port={self.port}"] if self.port else []
        given += [f"IdentityFile={self.identity_file}"] if self.identity_file else []
        return ["ssh", "-T", *(word for each in given for word in ("-o", each))]

    def _await_connection(self) -> None:
        out = self._master.stdout
        assert out is not None  # noqa: S101 - a pipe was asked for
        ready, _, _ = select.select([out], [], [], float(self.limit))
        if not ready:
            raise Unreachable(
                f"{self.address} could not be reached by ssh within {self.limit}",
                evidence={"limit": float(self.limit), "limit_origin": "limit"},
            )
        if not out.readline():
            _, errors = self._master.communicate()
            self.judge(self._master.returncode or _CONNECTION_FAILED, errors)

    def _let_go(self) -> None:
        end(self._master)
        _close(self._master)
        self._folder.cleanup()


class _Stream:
    """One dd on the board, which writes or reads from a place on."""

    def __init__(self, doing: str, place: int, disk: SshDisk) -> None:
        self.doing = doing
        self.place = place
        self._disk = disk
        block = next(size for size in (_LARGEST_BLOCK >> by for by in range(23)) if place % size == 0)
        path, at = shlex.quote(disk.path), place // block
        if doing == "write":
            command = f"dd of={path} bs={block} seek={at} conv=notrunc"
        else:
            command = f"dd if={path} bs={block} skip={at}"
        self._process = disk.remote(command)
        self._errors = bytearray()
        self._listener = threading.Thread(target=self._listen, name="dd", daemon=True)
        self._listener.start()

    def write(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - a pipe was asked for
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(pipe.fileno(), view) :]
        except BrokenPipeError:
            self._judge()
            raise LabError(f"dd on {self._disk.address} has ended too early") from None
        self.place += len(data)

    def read(self, length: int) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 - a pipe was asked for
        data = pipe.read(length)
        if len(data) < length:
            self._judge()
        self.place += len(data)
        return data

    def close(self) -> None:
        """End it; what was written has been taken when this returns."""
        try:
            if self.doing == "write" and self._process.stdin is not None:
                self._process.stdin.close()
                self._judge()
        finally:
            end(self._process)
            self._listener.join()
            _close(self._process)

    def _judge(self) -> None:
        status = self._process.wait()
        self._listener.join()
        self._disk.judge(status, bytes(self._errors))

    def _listen(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None  # noqa: S101 - a pipe was asked for
        while data := os.read(pipe.fileno(), 4096):
            self._errors = (self._errors + data)[-4096:]


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
