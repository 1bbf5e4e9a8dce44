"""Steps: one module, action, block or parallel each, with its modifiers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Location
from runner.model import Block, Call, Parallel, Step, Stop, Use, What
from runner.recipe import words
from runner.recipe.fields import inside, is_nothing, keyed, sequence, text, wrong
from runner.recipe.modifiers import MODIFIERS, describe, read_modifiers, refuse
from runner.recipe.reading import Reading
from runner.recipe.uses import read_call, read_use

_STRUCTURE = ("block", "parallel", "stop", "join")
_BLOCK_PARTS = ("rescue", "always")
_NOT_A_VERB = frozenset((*MODIFIERS, *_BLOCK_PARTS))
_OF_RESULTS = ("register", "expect", "measure", "until", "failed_when", "expect_error", "idle_timeout")
_OF_MODULES = ("idle_timeout", "expect_error")
_NOT_OF_STOP = tuple(key for key in MODIFIERS if key not in {"name", "tags", "vars", "when"})


def read_steps(node: Node, prefix: str, reading: Reading) -> tuple[Step, ...]:
    """Read a list of steps; `prefix` begins their ids: ``tests[0].steps``."""
    running: dict[str, Step] = {}
    steps: list[Step] = []
    for index, item in enumerate(sequence(node, "steps", reading.faults)):
        step = read_step(item, f"{prefix}[{index}]", reading)
        if step is None:
            continue
        steps.append(step)
        _follow_background(step, item, running, reading)
    return tuple(steps)


def read_step(node: Node, id: str, reading: Reading) -> Step | None:  # noqa: A002 - the field's name
    """Read one step. A broken one keeps what can be read of it, so that later steps can be judged."""
    if not isinstance(node, MapNode):
        hint = f"write '- {node.text}:'" if isinstance(node, Scalar) and node.text.isidentifier() else ""
        wrong(node, "a step", "a mapping with one module", reading.faults, hint=hint)
        return None
    entries = keyed(node)
    verb = _verb(node, entries, reading)
    modifiers = read_modifiers(entries, reading)
    what: What = Block(steps=())
    at = node.at
    if verb is not None:
        at = verb.key.at
        what = _what(verb, entries, id, reading, modifiers=modifiers)
    _refuse_unfit(what, verb, entries, reading)
    hidden = bool(modifiers.get("no_log"))
    if hidden:
        what = _hidden(what)
    title = _title(what, verb, hidden=hidden)
    return Step(id=id, at=at, what=what, title=title, **{k: v for k, v in modifiers.items() if v is not None})


def _verb(node: MapNode, entries: Mapping[str, Entry], reading: Reading) -> Entry | None:
    others = [entry for key, entry in entries.items() if key not in _NOT_A_VERB]
    verbs = [entry for entry in others if _is_verb(entry, reading)]
    strange = [entry for entry in others if entry not in verbs]
    if not verbs and strange:
        _no_module(_nearest(strange, reading), reading)
        strange = strange if len(strange) > 1 else []
        strange = [entry for entry in strange if entry is not _nearest(strange, reading)]
    elif not verbs:
        _nothing_to_do(node, entries, reading)
    for entry in strange:
        _strange(entry, verbs, reading)
    for entry in verbs[1:]:
        reading.faults.add(
            "E206",
            f"a step has one module, this one has {verbs[0].key.text!r} and {entry.key.text!r}",
            at=entry.key.at,
            hint=f"begin a new step: '- {entry.key.text}:'",
        )
    return verbs[0] if verbs else None


def _is_verb(entry: Entry, reading: Reading) -> bool:
    name = entry.key.text
    if name in _STRUCTURE or reading.verbs.find(name, reading.faults) is not None:
        return True
    return reading.verbs.broken(name) or name in reading.actions()


def _known(reading: Reading) -> tuple[str, ...]:
    return (*reading.verbs.names(), *reading.actions(), *_STRUCTURE)


def _nearest(strange: Sequence[Entry], reading: Reading) -> Entry:
    """Return the key that is most likely meant as the module."""
    known = _known(reading)
    return next((each for each in strange if words.verb_hint(each.key.text, known, ())), strange[0])


def _no_module(entry: Entry, reading: Reading) -> None:
    name = entry.key.text
    foreign = words.STEP.get(name)
    if foreign is not None:
        reading.faults.add("E207", f"{name!r} is not a word of recipes", at=entry.key.at, hint=foreign)
        return
    hint = words.verb_hint(name, _known(reading), MODIFIERS)
    reading.faults.add(
        "E201", f"no module {name!r}", at=entry.key.at, hint=hint or "'runner list modules' shows all of them"
    )


def _strange(entry: Entry, verbs: Sequence[Entry], reading: Reading) -> None:
    name = entry.key.text
    if name in words.STEP:
        reading.faults.add(
            "E207", f"{name!r} is not a word of recipes", at=entry.key.at, hint=words.STEP[name]
        )
        return
    hint = words.verb_hint(name, (), (*MODIFIERS, *_BLOCK_PARTS))
    if not hint and verbs:
        hint = _is_argument(name, verbs[0], reading) or words.verb_hint(name, _known(reading), ())
    reading.faults.add(
        "E204", f"{name!r} is neither a module nor a key of a step", at=entry.key.at, hint=hint
    )


def _is_argument(name: str, verb: Entry, reading: Reading) -> str:
    found = reading.verbs.find(verb.key.text, reading.faults)
    if found is None or name not in found.parameters:
        return ""
    return f"{name!r} is an argument of {found.name}: indent it below {found.name!r}"


def _nothing_to_do(node: MapNode, entries: Mapping[str, Entry], reading: Reading) -> None:
    stray = next((key for key in _BLOCK_PARTS if key in entries), "")
    if stray:
        reading.faults.add(
            "E205",
            f"{stray!r} belongs to a 'block'",
            at=entries[stray].key.at,
            hint="add 'block:' to the step",
        )
        return
    reading.faults.add("E205", "the step does nothing: it names no module", at=node.at)


def _what(
    verb: Entry,
    entries: Mapping[str, Entry],
    id: str,  # noqa: A002 - the field's name
    reading: Reading,
    *,
    modifiers: Mapping[str, object],
) -> What:
    name = verb.key.text
    if name != "block":
        refuse(entries, _BLOCK_PARTS, "they belong to a 'block'", reading.faults)
    match name:
        case "block":
            return _block(entries, id, reading.within(_loop_variable(modifiers)))
        case "parallel":
            inner = reading.within(_loop_variable(modifiers))
            return Parallel(steps=read_steps(verb.value, f"{id}.parallel", inner))
        case "stop" | "join":
            return Stop(background=text(verb.value, name, reading.faults), cancel=name == "stop")
    found = reading.verbs.find(name, reading.faults)
    if found is not None:
        return read_use(found, verb, reading.defaults.get(name), reading.faults)
    action = reading.action(name, verb.key.at)
    return Block(steps=()) if action is None else read_call(action, verb, reading.faults)


def _loop_variable(modifiers: Mapping[str, object]) -> str:
    loop = modifiers.get("loop")
    return str(getattr(loop, "variable", "")) if loop is not None else ""


def _block(entries: Mapping[str, Entry], id: str, reading: Reading) -> Block:  # noqa: A002
    def part(key: str) -> tuple[Step, ...]:
        return read_steps(entries[key].value, f"{id}.{key}", reading) if key in entries else ()

    if is_nothing(entries["block"].value):
        wrong(entries["block"].value, "block", "a list of steps", reading.faults)
    return Block(steps=part("block"), rescue=part("rescue"), always=part("always"))


def _refuse_unfit(what: What, verb: Entry | None, entries: Mapping[str, Entry], reading: Reading) -> None:
    faults = reading.faults
    name = verb.key.text if verb is not None else ""
    match what:
        case Block() | Parallel() if name in _STRUCTURE:
            refuse(entries, _OF_RESULTS, f"a {name} has no result", faults, hint="put it on a step inside")
        case Call():
            refuse(entries, _OF_MODULES, "an action has several steps", faults, hint="put it on its steps")
            if "register" in entries and not what.action.returns:
                refuse(entries, ("register",), f"{name} returns nothing", faults, hint="give it 'returns:'")
        case Stop():
            refuse(entries, _NOT_OF_STOP, f"{name!r} only ends a background step", faults)
        case Use(verb=used) if used.runs_on == "controller":
            refuse(entries, ("idle_timeout",), f"{name} listens to no console", faults)
    _refuse_together(entries, reading)


def _refuse_together(entries: Mapping[str, Entry], reading: Reading) -> None:
    faults = reading.faults
    if "defer" in entries:
        why = "a deferred step runs last"
        refuse(entries, ("background", "register"), why, faults, hint="leave out one of them")
    if reading.short:
        why = "in the short form every step is a test of its own, and its scope ends with it"
        hint = "put the steps that belong together into a 'block', or use 'tests'"
        refuse(entries, ("defer", "background"), why, faults, hint=hint)


def _hidden(what: What) -> What:
    """Carry ``no_log`` to every step inside."""

    def all_hidden(steps: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(dataclasses.replace(step, no_log=True, what=_hidden(step.what)) for step in steps)

    match what:
        case Block():
            return Block(
                steps=all_hidden(what.steps), rescue=all_hidden(what.rescue), always=all_hidden(what.always)
            )
        case Parallel():
            return Parallel(steps=all_hidden(what.steps))
        case Call():
            action = dataclasses.replace(what.action, steps=all_hidden(what.action.steps))
            return dataclasses.replace(what, action=action)
        case Use() | Stop():
            return what


def _title(what: What, verb: Entry | None, *, hidden: bool) -> str:
    if verb is None:
        return ""
    name = verb.key.text
    if hidden or isinstance(what, (Block, Parallel)):
        return name
    if isinstance(what, Stop):
        return f"{name} {what.background}"
    parameters = what.verb.parameters if isinstance(what, Use) else what.action.params
    primary = next((each for each in parameters.values() if each.primary), None)
    bound = what.arguments.get(primary.name) if primary is not None else None
    if primary is None or bound is None:
        return name
    return f"{name} {'******' if primary.secret else describe(bound.node)}".strip()


def _follow_background(step: Step, node: Node, running: dict[str, Step], reading: Reading) -> None:
    if step.background:
        earlier = running.get(step.background)
        if earlier is not None:
            reading.faults.add(
                "E219",
                f"two background steps of one scope have the name {step.background!r}",
                at=_value_at(node, "background", step),
                hint=f"the first one stands at {earlier.at}",
            )
        running[step.background] = step
    if isinstance(step.what, Stop) and step.what.background and step.what.background not in running:
        _unknown_background(step.what, node, step, tuple(running), reading)
    elif isinstance(step.what, Stop):
        running.pop(step.what.background, None)


def _unknown_background(
    stop: Stop, node: Node, step: Step, running: tuple[str, ...], reading: Reading
) -> None:
    name = stop.background
    near = words.verb_hint(name, running, ())
    reading.faults.add(
        "E219",
        f"no background step {name!r} is running here",
        at=_value_at(node, "stop" if stop.cancel else "join", step),
        hint=near or f"an earlier step of the same list needs 'background: {name}'",
    )


def _value_at(node: Node, key: str, step: Step) -> Location:
    value = node.get(key) if isinstance(node, MapNode) else None
    return inside(value) if isinstance(value, Scalar) else step.at
