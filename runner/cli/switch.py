"""A bench's power switch in the hands of a person: the bench taken, the modules of recipes run on it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from runner.agent.calls import Heard, Question, Run, Said, Take, Waiting
from runner.api.codec import encode_argument
from runner.api.values import Duration
from runner.api.verdicts import LabError
from runner.cli.ask_person import person
from runner.cli.one_bench import plan_one
from runner.connect.agents import connector
from runner.connect.link import Link
from runner.engine.attendant import Attendant
from runner.engine.cancel import Cancellation
from runner.engine.classes import classes_of
from runner.engine.plan import PlannedBench
from runner.engine.planning import NoBench
from runner.engine.who import ourselves
from runner.errors import Fault, InputError
from runner.model import Bench
from runner.recipe.devices import Problem, device_path

_MODULES = {
    "power_on": "runner.modules.power.power_on:PowerOn",
    "power_off": "runner.modules.power.power_off:PowerOff",
    "power_cycle": "runner.modules.power.power_cycle:PowerCycle",
    "power_read": "runner.modules.power.power_read:PowerRead",
    "power_info": "runner.modules.power.power_info:PowerInfo",
}
_LIMIT = 300.0
_ORIGIN = "the limit of 5m for each thing done by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which switch is asked for, and what may be done to have it."""

    bench: str
    device: str
    inventories: tuple[str, ...]
    recipe: str | None
    steal: bool
    wait: Duration


class Switch:
    """The switch of a bench that is ours, or that we use although somebody else has the bench."""

    def __init__(self, link: Link, bench: str, device: str, *, private: bool) -> None:
        """Use a link that knows the bench; `private`: what is behind the switch ends with the link."""
        self._link = link
        self.bench = bench
        self.device = device
        self.private = private

    def run(self, module: str, **arguments: object) -> dict[str, Any]:
        """Run a module on the switch alone, and return its result; raise its verdict."""
        given = {name: encode_argument(value) for name, value in arguments.items()}
        request = Run(self.bench, _MODULES[module], given, {"power": self.device}, _LIMIT, _ORIGIN)
        result: dict[str, Any] = self._link.call(request, _remark, cancel=Cancellation())
        return result

    def pause(self, seconds: float) -> None:
        """Wait; Ctrl-C ends it."""
        threading.Event().wait(seconds)


@contextlib.contextmanager
def switch_of(wanted: Wanted) -> Iterator[Switch]:
    """Give the switch that is wanted, until the end of the block.

    Raise InputError when it is not clear which one, NoBench when somebody holds the bench.
    """
    plan, registry = plan_one(wanted.bench, wanted.inventories, recipe=wanted.recipe, extra={})
    planned = plan.plays[0].benches[0]
    device = _path(planned.bench, wanted.device)
    classes = classes_of(plan) | frozenset(_MODULES.values())
    connect = connector(registry.sources, hosts=plan.inventory.hosts, classes=lambda: classes)
    cancel = Cancellation()
    links: list[Link] = []
    attendant = Attendant(person(), lambda _bench: links[0], cancel)

    def hear(heard: Heard) -> None:
        if isinstance(heard, Question):
            attendant.take(heard)
        else:
            _remark(heard)

    with (
        contextlib.closing(connect(planned.bench.host, _nothing, hear)) as link,
        contextlib.ExitStack() as end,
    ):
        links.append(link)
        end.callback(cancel.cancel, "the command ends")
        link.call(planned.configure, _remark, cancel=Cancellation())
        if planned.locked and not wanted.steal:
            _take(link, planned, wanted.wait)
        driver = planned.bench.devices[device.partition(".")[0]].driver
        yield Switch(link, planned.bench.name, device, private=driver is not None and driver.private)


def _take(link: Link, planned: PlannedBench, wait: Duration) -> None:
    take = Take(
        bench=planned.bench.name,
        holder="runner power",
        wait=wait,
        who=ourselves(),
        hold=planned.hold,
        hold_origin=planned.hold_origin,
    )
    try:
        link.call(take, _remark, cancel=Cancellation())
    except LabError as error:
        if "holder" in error.evidence:
            raise NoBench(f"{error.message}; --steal does without taking it") from error
        raise


def _path(bench: Bench, wish: str) -> str:
    found = device_path("Power", wish, bench, key="--device")
    if isinstance(found, Problem):
        raise InputError([Fault(code=found.code, message=found.message, hint=found.hint)])
    return found


def _remark(heard: Heard) -> None:
    if isinstance(heard, Said) and heard.level != "debug":
        click.echo(heard.text, err=True)
    elif isinstance(heard, Waiting):
        place = f", place {heard.place} of {heard.queue} in the queue" if heard.queue > 1 else ""
        click.echo(f"bench {heard.bench} is held by {heard.holder}; waiting{place}", err=True)


def _nothing(_chunk: object) -> None:
    return
