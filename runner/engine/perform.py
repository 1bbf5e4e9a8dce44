"""Runs one module, here or beside the hardware."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.agent.calls import Heard
from runner.agent.calls import Run as RunRequest
from runner.agent.forwarding import Forward, Unforward
from runner.api.codec import decode, encode_argument, secrets_in
from runner.api.values import Secret, TargetPath, files_in, is_url, is_web
from runner.api.verdicts import RecipeFault
from runner.connect.link import Link
from runner.declaration import Verb
from runner.engine.cancel import Deadline
from runner.engine.frame import Frame
from runner.engine.local import LocalContext
from runner.engine.scope import Scope
from runner.loader.fence import Fence
from runner.masking import Masker
from runner.model import UNBOUND, Bench, Bound, Expression, Use
from runner.schema import convert_value
from runner.template import Templates


def arguments(bound: Mapping[str, Bound], names: Scope, templates: Templates) -> dict[str, Any]:
    """Return the typed value of each argument; raise RecipeFault for what data shows to be wrong."""
    return {name: value_of(each, names, templates) for name, each in bound.items()}


def refuse_misfits(use: Use, given: Mapping[str, Any]) -> None:
    """Raise RecipeFault for templates whose values do not fit the other arguments."""
    if all(each.value is not UNBOUND for each in use.arguments.values()):
        return
    defaults = {name: each.default for name, each in use.verb.parameters.items() if not each.required}
    for misfit in use.verb.cls.misfits({**defaults, **given}):
        raise RecipeFault(misfit.message, hint=misfit.hint)


def refuse_files(given: Mapping[str, Any], fence: Fence | None) -> None:
    """Raise RecipeFault when a recipe that is not trusted names a file of somebody else."""
    for name, value in given.items() if fence is not None else ():
        for path in files_in(value):
            if fence is None or fence.holds(path):
                continue
            raise RecipeFault(
                f"{name}: {path} is not in the recipe's folder, and the recipe is not trusted (E604)",
                hint="name it yourself with -e, if it is meant to be read",
            )


def value_of(bound: Bound, names: Scope, templates: Templates) -> Any:
    """Return the typed value of one argument, rendered when it holds a template."""
    if bound.value is not UNBOUND:
        return _judged(bound.value, names, templates)
    rendered = templates.render(bound.node, names)
    try:
        return convert_value(bound.parameter, rendered, bound.node.at)
    except ValueError as error:
        raise RecipeFault(f"{bound.parameter.name}: {error}", evidence={"at": str(bound.node.at)}) from error


def targets(given: Mapping[str, Any]) -> frozenset[str]:
    """Return the files of this machine that a step's arguments let be written."""
    return frozenset(str(value) for value in given.values() if isinstance(value, TargetPath))


def secrets(value: Any) -> Iterator[str]:
    """Return every secret in a value, as in headers."""
    if isinstance(value, Secret):
        yield str(value)
    elif isinstance(value, Mapping):
        yield from (each for part in value.values() for each in secrets(part))
    elif isinstance(value, (list, tuple)):
        yield from (each for part in value for each in secrets(part))


def _judged(value: Any, names: Scope, templates: Templates) -> Any:
    if isinstance(value, Expression):
        return templates.judge(value, names)
    if isinstance(value, list) and value and isinstance(value[0], Expression):
        return [templates.judge(each, names) for each in value]
    return value


def run_here(
    verb: Verb,
    given: Mapping[str, Any],
    bench: Bench,
    frame: Frame,
    deadline: Deadline,
    hear: Callable[[Heard], None],
    find_link: Callable[[], Link],
) -> Any:
    """Run a module that touches no hardware; what it forwards is closed with the test or the play."""

    def forward(to: str, listen: str, reverse: bool) -> str:
        link = find_link()
        opened = link.call(Forward(bench.name, to, listen, reverse), hear, cancel=frame.cancel)
        closing = Unforward(bench.name, opened["number"])
        frame.closing.callback(link.call, closing, hear, cancel=frame.cancel)
        return str(opened["address"])

    def unforward(address: str) -> None:
        find_link().call(Unforward(bench.name, at=address), hear, cancel=frame.cancel)

    context = LocalContext(bench, frame.cancel, deadline, hear, forward, unforward)
    context.check_cancelled()
    return verb.cls(**given).run(context)


def predict_here(
    verb: Verb,
    given: Mapping[str, Any],
    bench: Bench,
    frame: Frame,
    deadline: Deadline,
    hear: Callable[[Heard], None],
) -> str:
    """Return what a module that touches no hardware would do."""
    context = LocalContext(bench, frame.cancel, deadline, hear)
    context.check_cancelled()
    told: str = verb.cls(**given).predict(context)
    return told


def _with_files(
    given: Mapping[str, Any], frame: Frame, deadline: Deadline, hear: Callable[[Heard], None], masker: Masker
) -> dict[str, Any]:
    """Return encoded arguments; files of object stores are fetched, or can be by the host.

    What was signed for them is a secret as long as it can be used.
    """
    encoded = {name: encode_argument(value) for name, value in given.items()}
    if not any(is_url(path) and not is_web(path) for path in files_in(list(given.values()))):
        return encoded
    from runner.connect.stores import Fetch, fetched

    return fetched(encoded, Fetch(hear, frame.cancel, deadline.left, frame.closing, masker.add))


def run_there(
    verb: Verb,
    given: Mapping[str, Any],
    devices: Mapping[str, Any],
    bench: str,
    link: Link,
    frame: Frame,
    deadline: Deadline,
    idle: float | None,
    hear: Callable[[Heard], None],
    masker: Masker,
) -> Any:
    """Run a module on the agent of the host and return its typed result; what is secret in it is hidden."""
    arguments = _with_files(given, frame, deadline, hear, masker)
    request = dataclasses.replace(_request(verb, arguments, devices, bench, deadline), idle=idle)
    answer = link.call(request, hear, cancel=frame.cancel)
    for secret in secrets_in(answer):
        masker.add(secret)
    return decode(verb.result, answer) if verb.result is not None else answer


def predict_there(
    verb: Verb,
    given: Mapping[str, Any],
    devices: Mapping[str, Any],
    bench: str,
    link: Link,
    frame: Frame,
    deadline: Deadline,
    hear: Callable[[Heard], None],
) -> str:
    """Return what a module says on the agent of the bench's host that it would do."""
    arguments = {name: encode_argument(value) for name, value in given.items()}
    request = dataclasses.replace(_request(verb, arguments, devices, bench, deadline), predict=True)
    return str(link.call(request, hear, cancel=frame.cancel))


def _request(
    verb: Verb, arguments: Mapping[str, Any], devices: Mapping[str, Any], bench: str, deadline: Deadline
) -> RunRequest:
    return RunRequest(
        bench=bench,
        path=verb.path,
        arguments=arguments,
        devices=devices,
        limit=deadline.left,
        limit_origin=deadline.origin,
    )
