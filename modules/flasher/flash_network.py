"""Write an image through U-Boot and a Linux in the board's memory."""

from __future__ import annotations

import dataclasses
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from runner.api import (
    Context,
    Duration,
    Failed,
    FilePath,
    HttpFiles,
    LabError,
    Misfit,
    Module,
    RecipeFault,
    Result,
    Secret,
    Unsupported,
    arg,
    device,
)
from runner.modules.flasher.board_shell import FOLDER, BoardShell
from runner.modules.flasher.bundle import Bundle, opened
from runner.modules.flasher.image import Compression, examined, kind_by_name
from runner.modules.flasher.loading import Lease, Part
from runner.modules.flasher.phases import Phases
from runner.modules.flasher.ram_linux import RamLinux
from runner.modules.flasher.writing import Download, Writer


class FlashedByNetwork(Result):
    """What was written."""

    bytes_written: int
    sha256: str
    """Of the content as it stands on the medium, not packed."""
    device: str
    """The board's block device."""
    verified: Literal["none", "size", "full"]
    attempts: int
    address: str
    """What DHCP gave the board."""
    elapsed: Duration
    rate: float
    """Bytes per second while it was written, with flushing."""


class FlashNetwork(RamLinux, Module):
    """Write an image to the board's medium over the network, through U-Boot and a Linux in its memory.

    The board is started anew. U-Boot gets an address by DHCP and loads the kernel of a bundle by TFTP;
    that boots, downloads the image by HTTP, unpacks and writes it, and reads it back. Every error
    names the phase. What may be a matter of luck is tried again from the start, `retries` times.

    A bundle is a manifest (kind FlashBundleManifest) with its files in a tar archive (`bundle_pull`
    makes one), or the manifest alone when the step names the files. Its boot command finds what
    was loaded in kernel_addr, kernel_size, initram_addr, initram_size, dtb_addr and dtb_size. The image
    comes from the bench's HTTP server, or from `url`, which the board fetches itself.

    Example::

        - flash_network: {image: build/nightly.img.xz, bundle: bundles/board.tar, target: emmc}
          timeout: 20m
        - flash_network:
            url: https://images.lab/nightly.img.gz
            sha256: "{{ checksum }}"
            bundle: bundles/manifest.yaml
            kernel: build/Image
            initramfs: build/rescue.cpio.gz
            after: boot
    """

    takes_power = True

    image: FilePath | None = arg(
        default=None, primary=True, help="the file to write; the bench's host serves it"
    )
    url: str = arg(default="", help="or its URL, which the board fetches by itself")
    target: str = arg(
        default="",
        help="a target of the bundle, a block device, or a partition's label; empty: the bundle's usual one",
    )
    sha256: str = arg(default="", help="the checksum of the file as it is, or a line of sha256sum")
    compression: Compression = arg(
        default="auto", help="how it is packed; auto: by its first bytes, with url by its name"
    )
    preflash: list[str] = arg(default=[], help="commands on the board before writing, after the bundle's")
    headers: dict[str, Secret] = arg(default={}, help="for the download from url")
    bearer: Secret | None = arg(default=None, secret=True, help="a bearer token for it (RFC 6750)")
    ca_cert: FilePath | None = arg(default=None, help="the authority of its certificate, in PEM")
    insecure_tls: bool = arg(
        default=False, help="take any certificate of it; BusyBox's wget cannot do otherwise"
    )
    verify: Literal["none", "size", "full"] = arg(
        default="full", help="full: read back and compare; size: only how many bytes were written"
    )
    retries: int = arg(default=3, help="how often all of it is tried again", minimum=0)
    after: Literal["off", "boot", "leave"] = arg(
        default="off", help="then switch off, start the board anew, or leave it at its shell"
    )
    write_within: Duration = arg(
        default=Duration("1h"), help="how long writing may take, and as long again reading back"
    )
    stall: Duration = arg(default=Duration("60s"), help="how long writing may stand still")
    http: HttpFiles = device(help="the server for the image")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what contradicts itself about the image."""
        if {"image", "url"} <= given.keys() and bool(given["image"]) == bool(given["url"]):
            yield Misfit("image", "it needs 'image' or 'url', and not both")
        url = str(given.get("url", ""))
        if url and not url.startswith(("http://", "https://")):
            yield Misfit("url", f"{url.partition('?')[0]!r} is no URL: write http:// or https://")
        for name in ("headers", "bearer", "ca_cert", "insecure_tls"):
            if given.get("image") and given.get(name):
                yield Misfit(name, f"'{name}' is for 'url': the bench's own server serves an image")

    def run(self, context: Context) -> FlashedByNetwork:
        """Look at everything first, then try."""
        began = time.monotonic()
        phases = Phases(context)
        with opened(self.bundle, self.manifest) as bundle:
            with phases.phase("read the bundle"):
                parts, bootcmd = self.parts(bundle)
            with phases.phase("read the image"):
                download = self.download(context)
            for attempt in range(1, self.retries + 2):
                try:
                    flashed = self._try(bundle, parts, bootcmd, download, phases, context)
                except (Failed, LabError) as error:
                    if attempt > self.retries or isinstance(error, Unsupported) or context.left <= 0:
                        raise
                    tries = f"attempt {attempt} of {self.retries + 1}"
                    context.log(f"{tries}: {error.message}; it is tried again", "warning")
                else:
                    return self._result(flashed, attempt, Duration(time.monotonic() - began))
        raise AssertionError("the last attempt raises or returns")

    def download(self, context: Context) -> Download:
        """Return where the board fetches the image, and what is known of it."""
        if self.image:
            return self._served(self.image, context)
        compression = self.compression
        name = urllib.parse.urlsplit(self.url).path
        bearer = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        return Download(
            url=self.url,
            compression=kind_by_name(name) if compression == "auto" else compression,
            headers={**{name: str(value) for name, value in self.headers.items()}, **bearer},
            ca_cert=f"{FOLDER}-ca.pem" if self.ca_cert else "",
            insecure=self.insecure_tls,
            sha256=(self.sha256.split() or [""])[0].lower(),
            size=None,
            content_sha256="",
        )

    def _served(self, path: str, context: Context) -> Download:
        image = examined(path, self.compression, self.sha256, context)
        self.http.offer({f"flasher/{image.path.name}": str(image.path)})
        return Download(
            url="",
            compression=image.compression,
            headers={},
            ca_cert="",
            insecure=False,
            sha256=image.sha256,
            size=image.content_size,
            content_sha256=image.content_sha256,
        )

    def _try(
        self,
        bundle: Bundle,
        parts: list[Part],
        bootcmd: str,
        download: Download,
        phases: Phases,
        context: Context,
    ) -> FlashedByNetwork:
        loader = self.loader(phases)
        started = not self.http.running
        try:
            with phases.phase("serve by HTTP"):
                self.http.start(context)
            lease = loader.boot(bundle.manifest, parts, bootcmd, context)
            flashed = self._write(bundle, download, lease, phases, context)
        finally:
            if started:
                self.http.stop()
        if self.after != "leave":
            with phases.phase("switch off"):
                loader.power_off(context)
        if self.after == "boot":
            with phases.phase("start anew"):
                loader.power_on(context)
        return flashed

    def _write(
        self, bundle: Bundle, download: Download, lease: Lease, phases: Phases, context: Context
    ) -> FlashedByNetwork:
        shell = BoardShell(self.console, context, self.stall)
        with phases.phase("network of the Linux"):
            shell.connect(lease, self.network, self.interface)
            self._prepare(shell)
        with phases.phase("find the target"):
            wanted = self.target or bundle.manifest.default_target
            if not wanted:
                raise RecipeFault("the bundle has no default_target: say which 'target'")
            target = shell.target(wanted, bundle.manifest.targets)
        with phases.phase("preflash commands"):
            for command in (*bundle.manifest.preflash, *self.preflash):
                shell.run(command)
        writer = Writer(shell, context, self.write_within)
        began = time.monotonic()
        with phases.phase("write"):
            written = writer.write(download._replace(url=download.url or self._url()), target)
        seconds = time.monotonic() - began
        if self.verify == "full":
            with phases.phase("read back"):
                writer.read_back(target, written)
        return FlashedByNetwork(
            bytes_written=written.size,
            sha256=written.sha256,
            device=target.path,
            verified=self.verify,
            attempts=1,
            address=lease.address,
            elapsed=Duration(seconds),
            rate=written.size / seconds if seconds else 0.0,
        )

    def _url(self) -> str:
        return self.http.url(f"flasher/{Path(self.image or '').name}")

    def _prepare(self, shell: BoardShell) -> None:
        """Set the clock, by which certificates are judged, and put the authority's file there."""
        if self.url.startswith("https://"):
            shell.run(f"date -s @{int(time.time())}")
        if self.ca_cert:
            self.http.offer({"flasher/ca.pem": self.ca_cert})
            shell.run(f"wget -q -O {FOLDER}-ca.pem {self.http.url('flasher/ca.pem')}")

    def _result(self, flashed: FlashedByNetwork, attempts: int, elapsed: Duration) -> FlashedByNetwork:
        return dataclasses.replace(flashed, attempts=attempts, elapsed=elapsed)
