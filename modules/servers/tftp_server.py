"""A TFTP server on a bench's host, as a device of the bench."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from runner.api import Driver, Duration, LabError, Misfit, TftpFiles, arg
from runner.modules.servers.addresses import family, unusable
from runner.modules.servers.common import FilesForBoards
from runner.modules.servers.port_lock import PortLock
from runner.modules.servers.tftp_listener import Listener, Settings
from runner.modules.servers.tftp_options import LARGEST, SMALLEST, Limits

if TYPE_CHECKING:
    from runner.api import Context


class TftpServer(FilesForBoards, Driver, TftpFiles):
    """A TFTP server on the bench's host, for boards that load files from there.

    RFC 1350, with the options of RFC 2347 to 2349 and windows (RFC 7440); it takes no files. Nothing
    listens until `tftp_serve` has started it, and everything ends with the run. Each run serves
    files of its own, under names of its own. The usual port 69 is lent to one bench of the host after
    the other; binding it needs root, or CAP_NET_BIND_SERVICE for the host's Python.

    Proven with U-Boot 2023.01 in QEMU, tftp-hpa and curl; not yet with boot ROMs.

    Example::

        devices:
          tftp: {driver: tftp_server, advertise: 192.168.7.1}
          files: {driver: tftp_server, root: /srv/tftp, bind: 127.0.0.1, port: 0}
    """

    private = True

    root: str = arg(
        default="", help="a folder of the host whose files are served, too; links that lead out are refused"
    )
    bind: str = arg(default="0.0.0.0", help="the address that it listens on")  # noqa: S104 - boards are outside
    advertise: str = arg(
        default="",
        help="the address by which boards reach it; empty: that which it listens on, or the host's own",
    )
    port: int = arg(default=69, help="the UDP port; 0: any that is free", minimum=0, maximum=65535)
    port_wait: Duration = arg(
        default=Duration("2m"), help="how long it waits for a port that another bench of the host uses"
    )
    block_size_max: int = arg(
        default=LARGEST, help="the largest block that it grants", minimum=SMALLEST, maximum=LARGEST
    )
    window_max: int = arg(
        default=64, help="the most blocks that it sends without an answer", minimum=1, maximum=65535
    )
    packet_timeout: Duration = arg(
        default=Duration("1s"), help="how long it waits for an answer, when the board does not say"
    )
    retries: int = arg(default=5, help="how often it sends again before it gives up", minimum=0)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which address cannot be used."""
        return unusable(given)

    def open(self) -> None:
        """Judge the addresses; nothing listens yet."""
        self.prepare()
        self._listener: Listener | None = None
        self._lock = PortLock(self.port)
        self._port = self.port

    def close(self) -> None:
        """Stop."""
        self.stop()

    def start(self, context: Context) -> None:
        """Listen; raise LabError when the port cannot be had, also not by waiting for another bench."""
        if self.running:
            return
        self.host()
        if self.port:
            self._lock.take(self.port_wait, context)
        try:
            self._listen()
        except LabError:
            self._lock.give_back()
            raise

    def stop(self) -> None:
        """Give the port back."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._port = self.port
        self._lock.give_back()

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    def port_number(self) -> int:
        """Return the port that it listens on."""
        return self._port

    def _listen(self) -> None:
        port = socket.socket(family(self.bind), socket.SOCK_DGRAM)
        try:
            port.bind((self.bind, self.port))
        except OSError as error:
            port.close()
            raise LabError(
                f"cannot listen on {self.bind} port {self.port}/udp for TFTP: {error.strerror}",
                evidence={"bind": self.bind, "port": self.port},
                hint=_HINTS.get(type(error), "is another TFTP server running on this host?"),
            ) from error
        self._port = port.getsockname()[1]
        limits = Limits(self.block_size_max, self.window_max, float(self.packet_timeout))
        settings = Settings(limits, self.retries + 1)
        self._listener = Listener(port, self._files, settings, self._record.add)


_HINTS: Mapping[type, str] = {
    PermissionError: "ports below 1024 need root or CAP_NET_BIND_SERVICE; most boards can only ask port 69",
}
