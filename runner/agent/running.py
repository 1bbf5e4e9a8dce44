"""Runs one module on a bench, and returns its result encoded."""

from __future__ import annotations

from typing import Any

from runner.agent.bench import Bench
from runner.agent.call import Call
from runner.agent.calls import Noted, Run
from runner.agent.classes import class_at
from runner.agent.consoles import Feed
from runner.agent.context import AgentContext
from runner.agent.instrument import decoded
from runner.agent.limits import Limits
from runner.agent.told_power import told_devices
from runner.api.codec import encode_result
from runner.api.module import Module
from runner.api.verdicts import LabError, RecipeFault


def run_module(request: Run, bench: Bench, call: Call, limits: Limits) -> Any:
    """Run a module to its end, or ask what it would do; raise what it raises, or that its time was over."""
    cls = class_at(request.path)
    if not issubclass(cls, Module):
        raise LabError(f"{request.path} is not a module")
    arguments = decoded(cls, request.arguments)
    spare = cls.does_without(arguments)
    devices = bench.devices(request.devices, call.hear, call.stop, spare)
    if request.idle is not None:
        limits.watch_silence(_last_byte_of(bench.feeds(request.devices), request.bench))
    context = AgentContext(
        bench=request.bench,
        devices={slot: path for slot, path in request.devices.items() if isinstance(path, str)},
        limit=request.limit,
        stop=call.stop,
        hear=call.hear,
        save=call.save,
    )
    context.check_cancelled()
    if cls.takes_power and not request.predict:
        bench.power_lost()
    try:
        told = told_devices(cls, devices, bench.paths(request.devices), request.bench, call.hear)
        module = cls(**arguments, **told)
        result = module.predict(context) if request.predict else encode_result(module.run(context))
    finally:
        context.finish()
        for name, seconds in bench.stages_reached():
            call.hear(Noted(name=name, value=round(seconds, 6), unit="s", lasting=True))
    if call.stop.timed_out:
        late = call.stop.verdict()
        late.result = result
        raise late
    return result


def _last_byte_of(feeds: list[Feed], bench: str) -> Any:
    if not feeds:
        raise RecipeFault(f"idle_timeout needs a console, and bench {bench!r} has none")
    return lambda: max(feed.last_byte for feed in feeds)
