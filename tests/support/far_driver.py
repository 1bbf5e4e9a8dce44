"""A driver in a process of its own, told what to do by lines of JSON: so it can see devices that we do not."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import os
import sys
from typing import Any


def plain(value: Any) -> Any:
    return (
        dataclasses.asdict(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type)
        else value
    )


def class_at(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def called(made: list[Any], call: str, arguments: list[Any]) -> Any:
    """Call ``NUMBER.PART.METHOD`` of what was made; a part is what a method gives, or an attribute."""
    number, *parts, method = call.split(".")
    target = made[int(number)]
    for part in parts:
        found = getattr(target, part)
        target = found() if inspect.ismethod(found) else found
    return getattr(target, method)(*arguments)


def become(user: int) -> None:
    """Go on as another user, with everything imported that this one may not read."""
    import usb.backend.libusb1
    import usb.core
    import usb.util

    usb.backend.libusb1.get_backend()
    os.seteuid(user)


def main() -> None:
    from runner.agent.instrument import decoded
    from runner.api import Verdict

    made: list[Any] = []
    for line in sys.stdin:
        call, arguments = json.loads(line)
        try:
            if call == "make":
                answer = len(made)
                cls = class_at(arguments[0])
                made.append(cls(**decoded(cls, arguments[1])))
            elif call == "become":
                answer = become(*arguments)
            else:
                answer = called(made, call, arguments)
            told: dict[str, Any] = {"answer": plain(answer)}
        except Verdict as error:
            kind = type(error).__name__
            told = {"error": {"kind": kind, "message": error.message, "hint": error.hint}}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
