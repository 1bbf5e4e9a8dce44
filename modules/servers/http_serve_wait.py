"""Wait until a board has fetched or put a file by HTTP."""

from __future__ import annotations

from runner.api import Context, Duration, HttpFiles, Module, Result, Transfer, arg, device
from runner.modules.servers.serving import wait


class HttpFetched(Result):
    """What was asked for."""

    requests: list[Transfer]
    bytes: int
    """Of all of them."""


class HttpServeWait(Module):
    """Wait until the board has fetched a file completely from the bench's HTTP server, or put one there.

    Requests count from the step that served the files, each once. One is complete when everything up
    to the end of the file went out; HEAD and a range before the end are not.

    Example::

        - http_serve_wait: {file: nightly.img, within: 5m}
          expect: result.requests[0].status == 200
        - http_serve_wait: log.txt
          register: put
        - fetch_file: "{{ put.requests[0].path }}"
    """

    limited_by = "within"

    file: str = arg(default="", primary=True, help="its name on the server; empty: any")
    count: int = arg(default=1, help="how many times", minimum=1)
    complete: bool = arg(default=True, help="false: requests that failed count, too")
    within: Duration = arg(default=Duration("60s"), help="how long it may take")
    server: HttpFiles = device(help="the server")

    def run(self, context: Context) -> HttpFetched:
        """Wait for it."""
        requests = wait(
            self.server,
            self.file,
            count=self.count,
            complete=self.complete,
            within=self.within,
            context=context,
        )
        return HttpFetched(requests=requests, bytes=sum(each.bytes for each in requests))
