"""Opens a console for a session: of a bench that is free, or of one that a run holds."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from runner.agent.calls import ConsoleBytes, Heard, Said, Take, TakenAway, Waiting
from runner.agent.lock_files import lock_folder
from runner.api.verdicts import LabError
from runner.cli.one_bench import plan_one
from runner.connect.agents import connector
from runner.connect.line import CLASSES, AttachedLine, Line, OwnLine, Power, attach
from runner.engine.cancel import Cancellation
from runner.engine.classes import classes_of
from runner.engine.plan import Plan
from runner.engine.planning import NoBench
from runner.engine.who import ourselves
from runner.errors import Fault, InputError
from runner.model import Bench
from runner.recipe.devices import console_path, offers
from runner.registry import Registry
from runner.report.files import ConsoleFiles

Show = Callable[[bytes], None]
Remark = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which console is asked for, and what may be done to have it. `power` None: as fits the bench."""

    bench: str
    device: str
    inventories: tuple[str, ...]
    extra: Mapping[str, Any]
    steal: bool
    attach: bool
    power: str | None
    wait: float
    recipe: str | None
    results: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """An open console. `held` says who else has the bench, `begin` lets the board talk."""

    bench: str
    device: str
    line: Line
    log: Path
    held: str
    begin: Callable[[], None]


@contextlib.contextmanager
def open_console(
    wanted: Wanted, show: Show, remark: Remark, over: Callable[[str], None]
) -> Iterator[Console]:
    """Open a console until the end of the block; `over` gets the reason when it ends by itself.

    Raise InputError for a wrong bench or device, NoBench when somebody holds the bench and
    cannot be joined, LabError for what does not work.
    """
    whole, registry = plan_one(wanted.bench, wanted.inventories, recipe=wanted.recipe, extra=wanted.extra)
    plan = whole.plays[0].benches[0]
    device = _device(plan.bench, wanted.device)
    folder = _folder(wanted.results)
    log = folder / "console" / f"{plan.bench.name}.{device}.raw"
    with contextlib.closing(_Log(folder, device, show)) as heard:
        session = _Session(whole, registry, device, log, heard.take, remark, over)
        console = session.joined(wanted) if wanted.attach else session.own(wanted)
        try:
            yield console
        finally:
            console.line.close()


class _Session:
    """The ways to a console."""

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        device: str,
        log: Path,
        console: Callable[[ConsoleBytes], None],
        remark: Remark,
        over: Callable[[str], None],
    ) -> None:
        self._plan = plan.plays[0].benches[0]
        self._hosts = plan.inventory.hosts
        self._classes = classes_of(plan) | CLASSES
        self._name = self._plan.bench.name
        self._registry = registry
        self._device = device
        self._log = log
        self._console = console
        self._remark = remark
        self._over = over

    def own(self, wanted: Wanted) -> Console:
        """Take the bench for this session; join the run that holds it when it is not free."""
        cancel = Cancellation()
        connect = connector(self._registry.sources, hosts=self._hosts, classes=lambda: self._classes)
        link = connect(self._plan.bench.host, self._console, self._hear)
        try:
            link.call(self._plan.configure, self._hear, cancel=cancel)
            if self._plan.locked:
                take = Take(
                    bench=self._name,
                    holder="runner console",
                    wait=wanted.wait,
                    who=ourselves(),
                    hold=self._plan.hold,
                    hold_origin=self._plan.hold_origin,
                )
                link.call(take, self._hear, cancel=cancel)
        except BaseException as error:
            link.close()
            if isinstance(error, LabError) and "holder" in error.evidence:
                return self.joined(wanted, held_by=error.message)
            raise
        powers = offers(self._plan.bench, "Power")
        line = OwnLine(link, self._name, self._device, powers[0] if len(powers) == 1 else "", cancel)
        return self._opened(line, "", lambda: self._begin(line, wanted.power))

    def joined(self, wanted: Wanted, *, held_by: str = "") -> Console:
        """Join the run that holds the bench."""
        connection = attach(lock_folder(os.environ), self._name, self._device)
        if connection is None:
            why = held_by or f"no run of yours has console {self._device} of bench {self._name} open"
            raise NoBench(
                f"{why}; it has not opened this console, or belongs to another user" if held_by else why
            )
        if wanted.power not in (None, "keep"):
            connection.close()
            raise NoBench(f"--power {wanted.power}: the bench is held by a run, and so is its power")
        line = AttachedLine(
            connection,
            self._console,
            steal=wanted.steal,
            remark=self._remark,
            over=self._over,
            named=(self._name, self._device),
        )
        return self._opened(line, ", in use by a run", line.begin)

    def _opened(self, line: Line, held: str, begin: Callable[[], None]) -> Console:
        return Console(
            bench=self._name, device=self._device, line=line, log=self._log, held=held, begin=begin
        )

    def _begin(self, line: OwnLine, power: str | None) -> None:
        """Open the console, and then switch the power: the first byte is not missed."""
        line.type(b"")
        switch = power or ("keep" if self._plan.locked else "on")
        if switch != "keep":
            line.power(cast("Power", switch))

    def _hear(self, heard: Heard) -> None:
        if isinstance(heard, Said):
            self._remark(heard.text)
        elif isinstance(heard, Waiting):
            self._remark(f"bench {heard.bench} is held by {heard.holder}; waiting")
        elif isinstance(heard, TakenAway):
            self._over(heard.why)


class _Log:
    """Keeps what a console says, byte for byte, as the runs do, and shows it."""

    def __init__(self, folder: Path, device: str, show: Show) -> None:
        self._files = ConsoleFiles(folder)
        self._device = device
        self._show = show

    def take(self, chunk: ConsoleBytes) -> None:
        """Keep what any console of the bench says; show what ours does."""
        self._files.console(chunk)
        if chunk.device == self._device:
            self._show(chunk.data)

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _device(bench: Bench, asked: str) -> str:
    """Return the path of the console; raise InputError when it is not clear which."""
    found = console_path(bench, asked)
    if isinstance(found, str):
        return found
    raise InputError([Fault(code=found.code, message=found.message, hint=found.hint)])


def _folder(results: str) -> Path:
    """Make the folder of a session; raise InputError when that is impossible."""
    now = dt.datetime.now(dt.timezone.utc)
    path = Path(results) / f"console-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        message = f"the log cannot be put into {results}: {error.strerror}"
        raise InputError([Fault(code="E531", message=message, hint="--results DIR")]) from error
    return path
