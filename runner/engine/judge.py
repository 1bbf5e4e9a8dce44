"""What a recipe expects of a step's result: expect, measure, failed_when, expect_error."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runner.api.verdicts import Failed, RecipeFault, Verdict
from runner.engine.scope import Scope
from runner.model import ExpectedError, Expression, Measure
from runner.result import Measured
from runner.template import Templates


def expect(expressions: Iterable[Expression], names: Scope, templates: Templates) -> None:
    """Judge all of them; raise Failed with every one that does not hold and its operands."""
    judged = [templates.judge(expression, names) for expression in expressions]
    broken = [each for each in judged if not each.holds]
    if not broken:
        return
    first = broken[0]
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    raise Failed(
        f"expected {first.text}" + (f", but {first.values}" if first.values else "") + more,
        evidence={each.text: each.operands for each in broken if each.operands},
    )


def measure(wanted: Iterable[Measure], names: Scope, templates: Templates) -> tuple[Measured, ...]:
    """Evaluate the numbers and hold them against their limits; raises nothing for a number outside."""
    return tuple(_measured(each, names, templates) for each in wanted)


def refuse_outside(measured: Iterable[Measured]) -> None:
    """Raise Failed when a number is outside its limits."""
    outside = [each for each in measured if each.verdict == "fail"]
    if outside:
        raise Failed(
            "; ".join(_outside(each) for each in outside),
            evidence={each.name: {"value": each.value, "unit": each.unit} for each in outside},
        )


def expected_error(expected: ExpectedError, error: Verdict) -> None:
    """Return when `error` is the one that was expected; raise Failed when it is another one."""
    if expected.kind and error.kind != expected.kind:
        raise Failed(
            f"expected an error of class {expected.kind!r}, got {error.kind!r}: {error.message}",
            evidence={"expected": expected.kind, "actual": error.kind},
        )
    if expected.match and not re.search(expected.match, error.message):
        raise Failed(
            f"expected an error matching {expected.match!r}, got: {error.message}",
            evidence={"expected": expected.match, "actual": error.message},
        )


def _measured(wanted: Measure, names: Scope, templates: Templates) -> Measured:
    def number(expression: Expression | None) -> float | None:
        return None if expression is None else _number(wanted.name, templates.evaluate(expression, names))

    value = _number(wanted.name, templates.evaluate(wanted.value, names))
    low, high, warn, equals = map(number, (wanted.minimum, wanted.maximum, wanted.warn, wanted.equals))
    outside = (
        (low is not None and value < low)
        or (high is not None and value > high)
        or (equals is not None and value != equals)
    )
    marginal = warn is not None and (value < warn if high is None and low is not None else value > warn)
    return Measured(
        name=wanted.name,
        value=value,
        unit=wanted.unit,
        minimum=low,
        maximum=high,
        warn=warn,
        equals=equals,
        verdict="fail" if outside else "marginal" if marginal else "pass",
    )


def _number(name: str, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise RecipeFault(f"measure {name!r} needs a number, got {value!r}") from None


def _outside(measured: Measured) -> str:
    unit = f" {measured.unit}" if measured.unit else ""
    if measured.equals is not None and measured.value != measured.equals:
        return f"{measured.name} is {measured.value:g}{unit}, expected {measured.equals:g}{unit}"
    if measured.minimum is not None and measured.value < measured.minimum:
        return f"{measured.name} is {measured.value:g}{unit}, below its minimum of {measured.minimum:g}{unit}"
    return (
        f"{measured.name} is {measured.value:g}{unit}, above its maximum of {measured.maximum or 0:g}{unit}"
    )
