"""Wait until a board has loaded a file by TFTP."""

from __future__ import annotations

from runner.api import Context, Duration, Module, Result, TftpFiles, Transfer, arg, device
from runner.modules.servers.serving import wait


class TftpFetched(Result):
    """What was loaded."""

    transfers: list[Transfer]
    bytes: int
    """Of all of them."""


class TftpServeWait(Module):
    """Wait until the board has loaded a file completely from the bench's TFTP server.

    Transfers count from the step that served the files, each once.

    Example::

        - tftp_serve_wait: {file: boot/kernel, within: 30s}
          expect: result.bytes > 1000000
    """

    limited_by = "within"

    file: str = arg(default="", primary=True, help="its name on the server; empty: any")
    count: int = arg(default=1, help="how many times", minimum=1)
    complete: bool = arg(default=True, help="false: requests that failed count, too")
    within: Duration = arg(default=Duration("60s"), help="how long it may take")
    server: TftpFiles = device(help="the server")

    def run(self, context: Context) -> TftpFetched:
        """Wait for it."""
        transfers = wait(
            self.server,
            self.file,
            count=self.count,
            complete=self.complete,
            within=self.within,
            context=context,
        )
        return TftpFetched(transfers=transfers, bytes=sum(each.bytes for each in transfers))
