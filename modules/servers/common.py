"""What both servers for boards do in the same way: their files, their address, their record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runner.api import FileServer, Needs, Transfer
from runner.api.record import Record
from runner.modules.servers.addresses import advertised, family
from runner.modules.servers.offered_files import OfferedFiles

if TYPE_CHECKING:
    from runner.api import Context


class FilesForBoards(FileServer):
    """Files under names of their own, and who has fetched them."""

    root: str
    bind: str
    advertise: str

    def needs(self) -> Needs:
        """Return the folder."""
        return Needs(nodes=(self.root,) if self.root else ())

    def prepare(self) -> None:
        """Judge the addresses; nothing listens yet."""
        family(self.bind)
        self._advertised = advertised(self.bind, self.advertise) if self.advertise else ""
        self._files = OfferedFiles(self.root)
        self._record: Record[Transfer] = Record()

    def offer(self, files: Mapping[str, str]) -> None:
        """Serve these files, too."""
        self._files.add(files)

    def offered(self) -> Mapping[str, str]:
        """Return what `offer` was given."""
        return self._files.named()

    def host(self) -> str:
        """Return the address for boards."""
        if not self._advertised:
            self._advertised = advertised(self.bind, self.advertise)
        return self._advertised

    def latest(self) -> int:
        """Return the number of the newest transfer that has ended."""
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> tuple[int, Transfer] | None:
        """Wait for the first transfer numbered above `after` to end."""
        return self._record.next(after, timeout, context)
