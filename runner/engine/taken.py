"""A bench that is ours for the time of a play."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from typing import Any

from runner.agent.calls import Configure, Heard, Quarantine, Said, Take
from runner.connect.link import Link
from runner.engine.cancel import Cancellation
from runner.engine.orders import last_orders
from runner.engine.plan import PlannedBench
from runner.engine.run import Run
from runner.engine.scope import Scope
from runner.engine.who import ourselves
from runner.model import Use
from runner.recipe.devices import resolve_devices
from runner.template import Templates


class TakenBench:
    """A bench with its names, its devices resolved for each step, and the way to its agent."""

    def __init__(self, run: Run, planned: PlannedBench, built_in: Mapping[str, Any]) -> None:
        """Hold a planned bench; nothing is connected until `link` is asked for."""
        self.planned = planned
        self.name = planned.bench.name
        self.built_in = Scope(run.templates, values=built_in)
        self.names = Scope(
            run.templates, self.built_in, values=planned.values, nodes=planned.nodes, pinned=planned.pinned
        )
        self._links = run.links
        self._templates = run.templates
        self._resolved: dict[int, Mapping[str, Any]] = {}
        self._configuring = threading.Lock()
        self._configured = False
        self._described: Configure | None = None
        self.quarantined = ""
        """Why nobody is to use it any more, this run included."""

    def quarantine(self, order: Quarantine, hear: Callable[[Heard], None], cancel: Cancellation) -> None:
        """Have nobody take this bench any more; raise LabError when its host cannot note that."""
        self.quarantined = f"bench {self.name} is in quarantine: {order.reason}"
        self._links.to(self.planned.bench.host).call(order, hear, cancel=cancel)

    @property
    def touched(self) -> bool:
        """Tell whether the agent knows this bench: before the first step that needs it, it does not."""
        return self._configured

    def take(self, holder: str, wait: float, hear: Callable[[Heard], None], cancel: Cancellation) -> None:
        """Lock the bench on its host, unless it is private; raise LabError when it cannot be had.

        The agent knows the bench by then, if one had to be started for this.
        """
        request = Take(
            bench=self.name,
            holder=holder,
            wait=wait,
            shared=not self.planned.locked,
            who=ourselves(),
            hold=self.planned.hold,
            hold_origin=self.planned.hold_origin,
            configure=self._configure(hear),
        )
        answer = self._links.to(self.planned.bench.host).call(request, hear, cancel=cancel)
        with self._configuring:
            self._configured = self.planned.locked or answer is not None

    def link(self, hear: Callable[[Heard], None], cancel: Cancellation) -> Link:
        """Return the connection to the agent on this bench's host, which knows the bench by then."""
        link = self._links.to(self.planned.bench.host)
        with self._configuring:
            if not self._configured:
                link.call(self._configure(hear), hear, cancel=cancel)
                self._configured = True
        return link

    def _configure(self, hear: Callable[[Heard], None]) -> Configure:
        """Return what the agent has to know of the bench; say what of ``on_release`` it cannot take on."""
        if self._described is not None:
            return self._described
        orders, left = last_orders(
            self.planned.on_release,
            self.name,
            self.names,
            self._templates,
            lambda use: self.devices(use, self.names, self._templates),
        )
        for each in left:
            hear(
                Said(
                    text=f"on_release of bench {self.name}, if this run should vanish, goes without {each}",
                    level="warning",
                )
            )
        self._described = dataclasses.replace(self.planned.configure, orders=orders)
        return self._described

    def link_lost(self) -> str:
        """Say why the agent is gone, or nothing while it is there or was not needed yet."""
        link = self._links.known(self.planned.bench.host)
        return "" if link is None else link.lost

    def devices(self, use: Use, names: Scope, templates: Templates) -> Mapping[str, Any]:
        """Return the device path for each slot of a module."""
        if any(node.templated for node in use.devices.values()):
            asked = {slot: templates.render(node, names) for slot, node in use.devices.items()}
            return resolve_devices(use, self.planned.bench, asked)
        key = id(use)
        if key not in self._resolved:
            self._resolved[key] = resolve_devices(use, self.planned.bench)
        return self._resolved[key]
