"""Serve files to boards by TFTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, FilePath, Misfit, Module, Result, TftpFiles, arg, device
from runner.modules.servers.serving import Served, ServedFile, change, described, unservable


class TftpServed(Result):
    """Where boards find the files."""

    host: str
    """The address to tell boards (`serverip`)."""
    port: int
    files: list[ServedFile]
    """What this step has added."""
    changed: bool


class TftpServe(Module):
    """Serve files by TFTP from the bench's host, until the run ends or a step stops it.

    The names on the server may have folders. Deferred with `state: stopped` it ends with its test, so
    that another bench of the host gets port 69.

    Example::

        - tftp_serve: {files: {boot/kernel: build/Image, initrd.gz: build/initrd.gz}}
          register: tftp
        - uboot_load: {file: boot/kernel, address: "${kernel_addr_r}", server: "{{ tftp.host }}"}
        - tftp_serve: {state: stopped}
          defer: true
    """

    files: dict[str, FilePath] = arg(default={}, primary=True, help="name on the server, and the file")
    state: Literal["started", "stopped"] = arg(default="started", help="stopped gives the port back")
    server: TftpFiles = device(help="the server")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which names no board can ask for, and that a stopped server serves nothing."""
        return unservable(given)

    def run(self, context: Context) -> TftpServed:
        """Start it, or stop it."""
        served: Served = change(self.server, self.files, self.state, context)
        if self.state == "started":
            context.log(f"TFTP at {self.server.host()} port {self.server.port_number()}{described(served)}")
        return TftpServed(
            host=self.server.host(),
            port=self.server.port_number(),
            files=served.files,
            changed=served.changed,
        )
