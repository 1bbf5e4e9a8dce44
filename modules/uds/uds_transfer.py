"""Download into a control unit, or upload from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from runner.api import (
    ByteString,
    Context,
    Duration,
    Failed,
    FilePath,
    Keep,
    Module,
    RecipeFault,
    Result,
    Size,
    TargetPath,
    arg,
    device,
)
from runner.api.misfit import Misfit
from runner.api.uds import Uds, UdsAnswer
from runner.modules.uds.asking import (
    NEGATIVE_HELP,
    WITHIN_HELP,
    ask,
    code_of,
    echoed,
    made_by_library,
    negative_misfits,
    read_by_library,
    response_of,
)


class UdsTransferred(Result):
    """What was transferred, in how many blocks."""

    size: Size
    blocks: int
    data: ByteString
    """What was uploaded, when it went into no file."""
    negative: str
    """The negative response that was expected, empty when there was none."""


class UdsTransfer(Module):
    """Download data into a control unit, or upload them from it (0x34, 0x35, 0x36, 0x37).

    `expect_negative` is the answer to the request for the transfer, before any data.

    Example::

        - uds_transfer: {file: images/app.bin, address: 0x8000}
        - uds_transfer: {direction: upload, address: 0x8000, size: 4KiB, to: dumps/back.bin}
    """

    direction: Literal["download", "upload"] = arg(default="download", help="into it, or from it")
    file: FilePath | None = arg(default=None, help="what to download")
    data: ByteString | None = arg(default=None, help="the same, written out")
    size: Size | None = arg(default=None, help="how much to upload")
    to: TargetPath | None = arg(default=None, help="the file to upload into; left out: the result has it")
    address: int = arg(help="where it is in its memory", minimum=0)
    address_bytes: int = arg(default=4, help="bytes of the address in the request", minimum=1, maximum=5)
    size_bytes: int = arg(default=4, help="bytes of the size in the request", minimum=1, maximum=4)
    compression: int = arg(default=0, help="compressionMethod", minimum=0, maximum=15)
    encryption: int = arg(default=0, help="encryptingMethod", minimum=0, maximum=15)
    block: int | None = arg(
        default=None,
        help="bytes of a TransferData at most; left out: what the control unit allows",
        minimum=3,
    )
    exit_data: ByteString = arg(default=ByteString(""), help="what the request for the end is given")
    expect_negative: str | int | None = arg(default=None, help=NEGATIVE_HELP)
    within: Duration | None = arg(default=None, help=f"{WITHIN_HELP}; for each request")
    uds: Uds = device(help="the control unit")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[Misfit]:
        """Say what a direction lacks, or has no use for."""
        yield from negative_misfits(given)
        if not {"direction", "file", "data", "size", "to"} <= given.keys():
            return
        sources = [name for name in ("file", "data") if given[name] is not None]
        if given["direction"] == "download" and len(sources) != 1:
            yield Misfit("direction", "a download needs 'file' or 'data', one of them")
        if given["direction"] == "upload" and given["size"] is None:
            yield Misfit("direction", "an upload needs 'size'")
        useless = ("size", "to") if given["direction"] == "download" else ("file", "data")
        for name in useless:
            if given[name] is not None:
                yield Misfit(name, f"a {given['direction']} has no {name!r}")

    def run(self, context: Context) -> UdsTransferred:
        """Ask for it, transfer block by block, and end it."""
        data = self._content()
        size = len(data) if self.direction == "download" else int(self.size or 0)
        answer = ask(self.uds, self._request(size), context, self.expect_negative, self.within)
        if answer.code is not None:
            empty = ByteString("")
            return UdsTransferred(size=Size(0), blocks=0, data=empty, negative=code_of(answer))
        if self.direction == "download":
            blocks = self._download(data, self._block(answer) - 2, context)
        else:
            data, blocks = self._upload(size, context)
        ask(self.uds, b"\x37" + bytes(self.exit_data), context, within=self.within)
        if self.to is not None:
            context.artifact(Path(self.to).name, data, Keep(to=self.to))
        shown = ByteString(data) if self.direction == "upload" and self.to is None else ByteString("")
        return UdsTransferred(size=Size(size), blocks=blocks, data=shown, negative="")

    def _content(self) -> bytes:
        if self.direction == "upload":
            return b""
        data = Path(self.file).read_bytes() if self.file is not None else bytes(self.data or b"")
        if not data:
            raise RecipeFault("there is nothing to download: it has no bytes")
        return data

    def _request(self, size: int) -> bytes:
        from udsoncan.common.DataFormatIdentifier import DataFormatIdentifier
        from udsoncan.common.MemoryLocation import MemoryLocation
        from udsoncan.services.RequestDownload import RequestDownload
        from udsoncan.services.RequestUpload import RequestUpload

        service: Any = RequestDownload if self.direction == "download" else RequestUpload
        with made_by_library("uds_transfer"):
            place = MemoryLocation(self.address, size, self.address_bytes * 8, self.size_bytes * 8)
            kind = DataFormatIdentifier(compression=self.compression, encryption=self.encryption)
            return bytes(service.make_request(place, kind).get_payload())

    def _block(self, answer: UdsAnswer) -> int:
        """Return how many bytes a TransferData may have, with service and counter."""
        from udsoncan.services.RequestDownload import RequestDownload

        with read_by_library(answer):
            allowed = int(RequestDownload.interpret_response(response_of(answer)).service_data.max_length)
        if allowed < 3:
            raise Failed(f"it takes TransferData of {allowed} bytes, of which two are no data")
        return min(allowed, self.block or allowed)

    def _download(self, data: bytes, block: int, context: Context) -> int:
        count = 0
        for start in range(0, len(data), block):
            count += 1
            number = bytes([count % 256])
            piece = data[start : start + block]
            answer = ask(self.uds, b"\x36" + number + piece, context, within=self.within)
            echoed(answer, number)
            context.progress(start + len(piece), len(data))
        return count

    def _upload(self, size: int, context: Context) -> tuple[bytes, int]:
        data = bytearray()
        count = 0
        while len(data) < size:
            count += 1
            number = bytes([count % 256])
            piece = echoed(ask(self.uds, b"\x36" + number, context, within=self.within), number)
            if not piece:
                raise Failed(f"it gave {len(data)} of {size} bytes, and then none")
            data += piece
            context.progress(len(data), size)
        if len(data) != size:
            raise Failed(f"it gave {len(data)} bytes, {size} were asked for")
        return bytes(data), count
