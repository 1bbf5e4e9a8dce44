"""The page of a module or a driver: for `runner doc` and for the reference in docs/."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runner.api.codec import hints
from runner.codes import CODES
from runner.codes import page as code_page
from runner.declaration import DriverType, Parameter, Slot, Verb
from runner.registry import Registry
from runner.type_names import show, type_name


def module_page(verb: Verb) -> str:
    """Return what there is to know about a module, as Markdown that reads well as text."""
    return "\n".join(_module(verb)) + "\n"


def driver_page(driver: DriverType) -> str:
    """Return what there is to know about a driver, as Markdown that reads well as text."""
    return "\n".join(_driver(driver)) + "\n"


def whole(registry: Registry) -> dict[str, str]:
    """Return the text of each file of the reference: modules, drivers, codes of errors."""
    verbs = [verb for name in registry.verb_names() if (verb := registry.verb(name)) is not None]
    drivers = [driver for name in registry.driver_names() if (driver := registry.driver(name)) is not None]
    return {
        "modules.md": _file("Modules", (module_page(verb) for verb in verbs)),
        "drivers.md": _file("Drivers", (driver_page(driver) for driver in drivers)),
        "codes.md": _file("Codes of errors", (code_page(code) for code in sorted(CODES))),
    }


def _file(title: str, pages: Iterable[str]) -> str:
    """Join pages below one title, with the layout that the pages have in a terminal."""
    parts = (f"## {_title(page)}\n\n```text\n{_body(page)}\n```\n" for page in pages)
    return f"# {title}\n\nMade by `runner doc --write docs/reference`.\n\n" + "\n".join(parts)


def _title(page: str) -> str:
    return page.splitlines()[0].removeprefix("# ")


def _body(page: str) -> str:
    return "\n".join(page.splitlines()[1:]).strip()


def _module(verb: Verb) -> Iterator[str]:
    yield from _head(f"{verb.name} (module)", verb.summary, verb.description)
    yield from _parameters("Arguments", verb.parameters)
    yield from _slots(verb.slots)
    if verb.result is not None:
        yield from ("", "Result:", "")
        for name, hint in hints(verb.result).items():
            yield f"  {name:<14} {_result_type(hint)}"
    if verb.limited_by:
        yield from (
            "",
            f"Its time is limited by {verb.limited_by!r}; the step's `timeout:` is the hard limit.",
        )
    yield from _example(verb.example)
    yield from ("", f"Runs on the {verb.runs_on}.{_checked(verb)} Source: {verb.family}.")


def _checked(verb: Verb) -> str:
    if verb.reads_only:
        return " Changes nothing, so it runs under --check, too."
    if verb.reads_when:
        return f" With '{verb.reads_when}' it runs under --check, too."
    return " Under --check it says what it would do." if verb.predicts else ""


def _driver(driver: DriverType) -> Iterator[str]:
    simulated = " (simulated)" if driver.simulated else ""
    yield from _head(f"{driver.name} (driver){simulated}", driver.summary, driver.description)
    yield from _parameters("Options", driver.parameters)
    yield from _slots(driver.slots)
    yield from ("", "Offers:", "")
    for interface in sorted(driver.interfaces):
        yield f"  {interface}"
    for part, interfaces in driver.children.items():
        yield f"  .{part:<13} {', '.join(sorted(interfaces))}"
    yield from _example(driver.example)


def _slots(slots: Sequence[Slot]) -> Iterator[str]:
    if not slots:
        return
    yield from ("", "Devices:", "")
    for slot in slots:
        count = "all that the bench has" if slot.every else "optional" if slot.optional else "one"
        yield f"  {slot.name:<14} {slot.interface} ({count})" + (f": {slot.help}" if slot.help else "")


def _head(title: str, summary: str, description: str) -> Iterator[str]:
    yield from (f"# {title}", "", summary)
    if description:
        yield from ("", description)


def _parameters(title: str, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    if not parameters:
        return
    yield from ("", f"{title}:", "")
    for each in parameters.values():
        default = "required" if each.required else f"default {show(each.default)}"
        marks = ", the value itself" if each.primary else ""
        yield f"  {each.name:<14} {type_name(each.hint)}, {default}{marks}"
        yield f"  {'':<14} {each.help}{_limits(each)}"


def _limits(parameter: Parameter) -> str:
    low = f"at least {_number(parameter.minimum)}" if parameter.minimum is not None else ""
    high = f"at most {_number(parameter.maximum)}" if parameter.maximum is not None else ""
    limits = ", ".join(each for each in (low, high) if each)
    return f" ({limits})" if limits else ""


def _result_type(hint: Any) -> str:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return f"mapping ({', '.join(hints(hint))})"
    return type_name(hint)


def _example(example: str) -> Iterator[str]:
    if example:
        yield from ("", "Example:", "")
        yield from (f"    {line}" for line in example.splitlines())


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
