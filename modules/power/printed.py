"""What a program prints about a power supply: its state, and what it measures."""

from __future__ import annotations

import json
import math

from runner.api import PowerReading, PowerState

_STATES: dict[str, PowerState] = {
    "on": "on",
    "1": "on",
    "true": "on",
    "off": "off",
    "0": "off",
    "false": "off",
}
_QUANTITIES = ("voltage", "current", "power")


def state_of(printed: str) -> PowerState:
    r"""Return the state that was printed; raise ValueError for anything else.

    >>> state_of("On\n"), state_of("0")
    ('on', 'off')
    """
    state = _STATES.get(printed.strip().lower())
    if state is None:
        raise ValueError("expected on or off")
    return state


def reading_of(printed: str) -> PowerReading:
    """Return what was measured; raise ValueError for anything else. The power is computed if it can be.

    >>> reading_of("5.0 0.5")
    PowerReading(voltage=5.0, current=0.5, power=2.5)
    >>> reading_of('{"current": 0.5}')
    PowerReading(voltage=None, current=0.5, power=None)
    """
    found = _from_json(printed) if printed.lstrip().startswith("{") else _from_numbers(printed)
    voltage, current, power = (found.get(name) for name in _QUANTITIES)
    if power is None and voltage is not None and current is not None:
        power = voltage * current
    return PowerReading(voltage=voltage, current=current, power=power)


def _from_json(printed: str) -> dict[str, float]:
    try:
        found = json.loads(printed)
    except ValueError as error:
        raise ValueError(f"which is no JSON: {error}") from error
    known = {name: found[name] for name in _QUANTITIES if found.get(name) is not None}
    for name, value in known.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"expected a number as {name!r}")
    if not known:
        raise ValueError("expected any of 'voltage', 'current' and 'power' in it")
    return known


def _from_numbers(printed: str) -> dict[str, float]:
    words = printed.split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(map(math.isfinite, numbers)):
        raise ValueError("expected two or three numbers (V, A, W), or JSON")
    return dict(zip(_QUANTITIES, numbers, strict=False))
