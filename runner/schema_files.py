"""The JSON Schemas of recipes, inventories and what a run writes: for editors and other tools."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from runner.api.codec import hints
from runner.console.watched import TITLES
from runner.declaration import DriverType, Verb
from runner.json_schema import Schema, json_schema, parameters_schema, templated
from runner.registry import Registry
from runner.result import Attempt, ConsoleSlice, Event, Measured, Outcome, Problem

_DRAFT = "http://json-schema.org/draft-07/schema#"
_TEXT: Schema = {"type": "string"}
_WORDS: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_MAPPING: Schema = {"type": "object"}
_EXPRESSION: Schema = {"type": ["string", "boolean"], "description": "a bare expression, without {{ }}"}
_EXPRESSIONS: Schema = {"anyOf": [_EXPRESSION, {"type": "array", "items": _EXPRESSION}]}
_DURATION: Schema = templated({"type": ["string", "number"]})
_STEPS: Schema = {"type": "array", "items": {"$ref": "#/definitions/step"}}
_NUMBER: Schema = {"type": ["number", "string"]}
_WATCHER: Schema = {"enum": list(TITLES)}

_MODIFIERS: Mapping[str, tuple[str, Schema]] = MappingProxyType(
    {
        "name": ("What to call the step in reports.", _TEXT),
        "tags": ("Words to select or skip the step by.", _WORDS),
        "vars": ("Variables for this step.", _MAPPING),
        "when": ("Run only when this holds.", _EXPRESSION),
        "loop": ("Repeat for each item of a list, mapping or range.", {}),
        "loop_var": ("What the item is called; default: item.", _TEXT),
        "label": ("What to show of each item.", _TEXT),
        "register": ("The name of the result in this test.", _TEXT),
        "expect": ("Expressions about `result`; all are judged.", _EXPRESSIONS),
        "measure": (
            "Named numbers with their limits.",
            {"type": "object", "additionalProperties": {"$ref": "#/definitions/measure"}},
        ),
        "until": ("Repeat until this holds.", _EXPRESSION),
        "retries": ("How often to try again.", {"type": "integer", "minimum": 0}),
        "delay": ("The time between tries.", _DURATION),
        "retry_on": ("Which ends are tried again.", _WORDS),
        "timeout": ("The hard limit of the step.", _DURATION),
        "idle_timeout": ("The longest silence of the console.", _DURATION),
        "failed_when": ("Replaces the verdict: the step fails when this holds.", _EXPRESSIONS),
        "expect_error": (
            "The step must end with this error.",
            {"type": "object", "properties": {"class": _TEXT, "match": _TEXT}, "additionalProperties": False},
        ),
        "ignore_errors": ("Record a failure, but do not count it.", {"type": "boolean"}),
        "background": ("Go on with later steps meanwhile; the name is for stop and join.", _TEXT),
        "defer": ("Run at the end of the scope, whatever happens.", {"type": "boolean"}),
        "bench": ("Run on another bench.", _TEXT),
        "run_once": ("Run on one bench for all.", {"type": "boolean"}),
        "no_log": ("Hide arguments and result.", {"type": "boolean"}),
    }
)
_STRUCTURE: Mapping[str, tuple[str, Schema]] = MappingProxyType(
    {
        "block": ("Steps together.", _STEPS),
        "rescue": ("Steps to run when one of the block failed.", _STEPS),
        "always": ("Steps to run after the block in any case.", _STEPS),
        "parallel": ("Steps at the same time.", _STEPS),
        "stop": ("End a background step.", _TEXT),
        "join": ("Wait for a background step.", _TEXT),
    }
)
_TEST: Mapping[str, Schema] = MappingProxyType(
    {
        "test": _TEXT,
        "id": _TEXT,
        "description": _TEXT,
        "steps": _STEPS,
        "setup": _STEPS,
        "teardown": _STEPS,
        "when": _EXPRESSION,
        "skip": {},
        "xfail": {},
        "requires": _WORDS,
        "matrix": _MAPPING,
        "tags": _WORDS,
        "meta": _MAPPING,
        "vars": _MAPPING,
        "timeout": _DURATION,
        "retries": {"anyOf": [{"type": "integer", "minimum": 0}, _MAPPING]},
    }
)
_PLAY: Mapping[str, Schema] = MappingProxyType(
    {
        "name": _TEXT,
        "description": _TEXT,
        "benches": _TEXT,
        "take": {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["all"]}]},
        "strategy": {"enum": ["free", "lockstep", "shard"]},
        "max_parallel": {"type": "integer", "minimum": 1},
        "import": _WORDS,
        "params": {"type": "object", "additionalProperties": _MAPPING},
        "vars": _MAPPING,
        "vars_files": _WORDS,
        "defaults": {"type": "object"},
        "tags": _WORDS,
        "meta": _MAPPING,
        "when": _EXPRESSION,
        "timeout": {
            "type": "object",
            "properties": {"run": _DURATION, "test": _DURATION, "step": _DURATION},
            "additionalProperties": False,
        },
        "watch": {
            "anyOf": [
                {"type": "boolean"},
                {
                    "type": "object",
                    "properties": {
                        "allow": {
                            "anyOf": [_WATCHER, {"type": "array", "items": _WATCHER}],
                            "description": "What does not fail a step.",
                        },
                        "add": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"name": _TEXT, "pattern": _TEXT},
                                "required": ["name", "pattern"],
                                "additionalProperties": False,
                            },
                            "description": "Regular expressions that fail a step, too.",
                        },
                    },
                    "additionalProperties": False,
                },
            ],
            "description": "What fails a step when a console says it; false: nothing.",
        },
        "reserve": {
            "type": "object",
            "properties": {"wait": _DURATION, "hold": _DURATION},
            "additionalProperties": False,
        },
        "setup": _STEPS,
        "tests": {"type": "array", "items": {"$ref": "#/definitions/test"}},
        "steps": _STEPS,
        "teardown": _STEPS,
        "requires_runner": _TEXT,
    }
)


def all_schemas(registry: Registry) -> dict[str, Schema]:
    """Return every schema by the name of its file."""
    return {
        "recipe": recipe_schema(registry),
        "inventory": inventory_schema(registry),
        "configuration": configuration_schema(),
        "events": events_schema(),
        "results": results_schema(),
    }


def recipe_schema(registry: Registry) -> Schema:
    """Return the schema of recipes and of files of actions, with every module."""
    verbs = [verb for name in registry.verb_names() if (verb := registry.verb(name)) is not None]
    step = {
        "type": "object",
        "description": "One step: a module or an action, and its modifiers.",
        "properties": {
            **{verb.name: _verb(verb) for verb in verbs},
            **{
                name: {"description": help_, **schema}
                for name, (help_, schema) in {**_STRUCTURE, **_MODIFIERS}.items()
            },
        },
    }
    limit = dict.fromkeys(("value", "min", "max", "warn", "equals"), _NUMBER)
    play = {
        "type": "object",
        "properties": {**dict(_PLAY), "actions": {"type": "object"}},
        "additionalProperties": False,
    }
    return {
        "$schema": _DRAFT,
        "title": "A recipe of runner",
        "anyOf": [{"$ref": "#/definitions/play"}, {"type": "array", "items": {"$ref": "#/definitions/play"}}],
        "definitions": {
            "play": play,
            "test": {
                "type": "object",
                "properties": dict(_TEST),
                "required": ["test"],
                "additionalProperties": False,
            },
            "step": step,
            "measure": {
                "anyOf": [
                    _NUMBER,
                    {"type": "object", "properties": {**limit, "unit": _TEXT}, "additionalProperties": False},
                ]
            },
        },
    }


def _verb(verb: Verb) -> Schema:
    slots: dict[str, Schema] = {
        slot.name: {"description": slot.help or f"which {slot.interface}", "type": ["string", "array"]}
        for slot in verb.slots
    }
    if verb.slots:
        slots["device"] = {
            "description": f"which device of the bench ({verb.slots[0].interface})",
            "type": "string",
        }
    options: list[Schema] = [parameters_schema(verb.parameters, slots)]
    if verb.primary is not None:
        options.append(templated(json_schema(verb.primary.hint)))
    if not any(each.required for each in verb.parameters.values()):
        options.append({"type": "null"})
    text = f"{verb.summary}\n\n{verb.description}".strip()
    markdown = f"{text}\n\n```yaml\n{verb.example}\n```" if verb.example else text
    return {"description": text, "markdownDescription": markdown, "anyOf": options}


def inventory_schema(registry: Registry) -> Schema:
    """Return the schema of inventories, with the options of every driver."""
    drivers = [driver for name in registry.driver_names() if (driver := registry.driver(name)) is not None]
    device = {
        "type": "object",
        "properties": {"driver": {"enum": [driver.name for driver in drivers]}, "ref": _TEXT},
        "allOf": [_driver(driver) for driver in drivers],
    }
    bench = {
        "type": "object",
        "properties": {
            "host": _TEXT,
            "labels": {"type": "object"},
            "vars": _MAPPING,
            "devices": {"type": "object", "additionalProperties": {"$ref": "#/definitions/device"}},
            "recover": {"type": "array", "items": {"type": ["string", "object"]}},
            "on_acquire": {"type": "array"},
            "on_release": {"type": "array"},
            "max_hold": _DURATION,
            "enabled": {},
        },
        "additionalProperties": False,
    }
    group = {
        "type": "object",
        "properties": {"benches": _WORDS, "groups": _WORDS, "vars": _MAPPING},
        "additionalProperties": False,
    }
    sections = {"benches": bench, "groups": group, "hosts": {"type": ["object", "null"]}}
    return {
        "$schema": _DRAFT,
        "title": "An inventory of runner",
        "type": "object",
        "properties": {
            **{name: {"type": "object", "additionalProperties": schema} for name, schema in sections.items()},
            "vars": _MAPPING,
        },
        "additionalProperties": False,
        "definitions": {"device": device},
    }


def _driver(driver: DriverType) -> Schema:
    slots = {slot.name: {"type": "string", "description": slot.help} for slot in driver.slots}
    schema = parameters_schema(
        driver.parameters, {"driver": {"const": driver.name, "description": driver.summary}, **slots}
    )
    condition = {"properties": {"driver": {"const": driver.name}}, "required": ["driver"]}
    return {"if": condition, "then": schema}


def configuration_schema() -> Schema:
    """Return the schema of the user's configuration; there is nothing to configure yet."""
    return {
        "$schema": _DRAFT,
        "title": "The configuration of runner",
        "type": "object",
        "additionalProperties": False,
    }


def events_schema() -> Schema:
    """Return the schema of one line of events.jsonl."""
    kinds = typing.get_args(Event)
    return {"$schema": _DRAFT, "title": "An event of a run", "anyOf": [_event(kind) for kind in kinds]}


def _event(kind: type) -> Schema:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
    return _record(kind, {"event": {"const": name}})


def _record(kind: type, more: Mapping[str, Schema] | None = None) -> Schema:
    fields = dataclasses.fields(kind)
    required = [each.name for each in fields if each.default is each.default_factory is dataclasses.MISSING]
    properties = {each: _shape(hint) for each, hint in hints(kind).items()}
    # what is empty is left out of the file, also a required text
    needed = [name for name in required if "string" not in str(properties[name]) and name != "options"]
    return {
        "type": "object",
        "properties": {**(more or {}), **properties},
        "required": [*(more or {}), *(name for name in needed if name not in {"recipes", "benches"})],
        "additionalProperties": False,
    }


def _shape(hint: Any) -> Schema:
    if hint is Outcome:
        return {"enum": [each.word for each in Outcome]}
    for kind in (Problem, Measured, ConsoleSlice, Attempt):
        if hint is kind or (kind in typing.get_args(hint) and typing.get_origin(hint) is not tuple):
            return _record(kind)
        if kind in typing.get_args(hint):
            return {"type": "array", "items": _record(kind)}
    origin = typing.get_origin(hint)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object"}
    return json_schema(hint)


def results_schema() -> Schema:
    """Return the schema of results.json."""
    outcome = {"enum": [each.word for each in Outcome]}
    case = {
        "type": "object",
        "properties": {"case": _TEXT, "outcome": outcome, "bench": _TEXT, "test": _TEXT},
        "required": ["case", "outcome", "bench", "test"],
    }
    start = {
        "type": "object",
        "properties": {"kind": {"enum": ["boot", "restart"]}, "console": _TEXT},
        "additionalProperties": {"type": "number"},
        "required": ["kind"],
    }
    counts = {"type": "object", "propertyNames": outcome, "additionalProperties": {"type": "integer"}}
    return {
        "$schema": _DRAFT,
        "title": "The result of a run",
        "type": "object",
        "properties": {
            "run": _TEXT,
            "started": _TEXT,
            "seconds": {"type": "number"},
            "exit_code": {"type": ["integer", "null"]},
            "counts": counts,
            "starts": {
                "description": "how the boards started, by bench: stages with their seconds",
                "type": "object",
                "additionalProperties": {"type": "array", "items": start},
            },
            "cases": {"type": "array", "items": case},
        },
        "required": ["run", "exit_code", "counts", "cases"],
    }
