"""A case as a JUnit test case."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from junit_xml import TestCase, TestSuite

from runner.fold import MOST
from runner.report.characters import legal
from runner.report.problem import problem_text
from runner.report.slices import CAP, console_text
from runner.result import Attempt, CaseFinished, CaseStarted, Measured, Outcome, Problem

_BLAMED = MappingProxyType(
    {
        "board": "LabError",
        "lab": "LabError",
        "recipe": "RecipeError",
        "crash": "Crash",
        "cancelled": "Cancelled",
    }
)
_ORDER = ("failure", "rerunFailure", "flakyFailure", "skipped", "error", "rerunError", "flakyError")
"""The order in which Surefire's schema has them, before what was printed."""


@dataclass(slots=True)
class Gathered:
    """What came of a case while it ran; of its measures the first `MOST`."""

    measures: list[Measured] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    left_out: int = 0

    def begin(self) -> None:
        """Forget the measures of an earlier attempt."""
        self.measures.clear()
        self.left_out = 0

    def measure(self, found: Sequence[Measured]) -> None:
        """Keep measures as long as there is room."""
        fitting = found[: MOST - len(self.measures)]
        self.measures.extend(fitting)
        self.left_out += len(found) - len(fitting)


def finished(case: CaseFinished, gathered: Gathered, folder: Path) -> bytes:
    """Return the ``<testcase>`` of a case, with what its consoles said."""
    test = _test_case(case, case.seconds)
    test.stdout = _output(case, gathered, folder)
    _say_outcome(test, case)
    element = _element(test)
    for skipped in element.findall("skipped"):
        skipped.attrib.pop("type", None)  # Surefire knows no type here
    element.extend(_attempts(case, folder))
    element[:] = sorted(element, key=_place)
    return _bytes(element)


def unfinished(case: CaseStarted) -> bytes:
    """Return the ``<testcase>`` of a case that has no end yet: the file may outlive the run."""
    test = _test_case(case, 0.0)
    test.add_error_info(
        message="the run ended before this case did",
        output=legal(f"at {case.at}, attempt {case.attempt}"),
        error_type="Cancelled",
    )
    return _bytes(_element(test))


def _test_case(case: CaseFinished | CaseStarted, seconds: float) -> TestCase:
    head, _, _bench = case.case.rpartition("@")
    recipe, _, name = head.partition("::")
    return TestCase(legal(name), legal(f"{recipe}.{case.bench}"), seconds)


def _element(test: TestCase) -> ET.Element:
    suite: ET.Element = TestSuite("", [test]).build_xml_doc()
    (element,) = suite.iter("testcase")
    element.set("time", f"{test.elapsed_sec:.3f}")  # Surefire: three decimals at most
    return element


def _bytes(element: ET.Element) -> bytes:
    return (ET.tostring(element, encoding="unicode") + "\n").encode()  # twice as fast as to bytes


def _place(child: ET.Element) -> int:
    return _ORDER.index(child.tag) if child.tag in _ORDER else len(_ORDER)


def _say_outcome(test: TestCase, case: CaseFinished) -> None:
    problem = case.problem or Problem(message=case.reason or case.outcome.word)
    message, text = legal(problem.message), legal(problem_text(problem))
    match case.outcome:
        case Outcome.SKIPPED | Outcome.XFAILED:
            test.add_skipped_info(message=legal(case.reason or case.outcome.word))
        case Outcome.FAILED:
            test.add_failure_info(message=message, output=text, failure_type=problem.kind or "assertion")
        case Outcome.XPASSED:
            test.add_failure_info(message=message, output=text, failure_type="UnexpectedPass")
        case Outcome.BLOCKED:
            test.add_error_info(message=message, output=text, error_type="Blocked")
        case Outcome.CANCELLED:
            test.add_error_info(message=message, output=text, error_type="Cancelled")
        case Outcome.ERROR:
            kind = _BLAMED.get(problem.blame, "LabError")
            test.add_error_info(message=message, output=text, error_type=kind)
        case Outcome.PASSED | Outcome.FLAKY:
            pass


def _attempts(case: CaseFinished, folder: Path) -> Iterable[ET.Element]:
    """Make what junit-xml has no word for: an element for each bad attempt before the last one."""
    begins = "flaky" if case.outcome in {Outcome.PASSED, Outcome.FLAKY} else "rerun"
    for bad in case.attempts:
        problem = bad.problem
        ends = "Error" if problem.blame in {"lab", "recipe", "crash", "cancelled"} else "Failure"
        kind = _BLAMED[problem.blame] if ends == "Error" else problem.kind or "assertion"
        attempt = ET.Element(f"{begins}{ends}", {"message": legal(problem.message), "type": kind})
        ET.SubElement(attempt, "stackTrace").text = legal(attempt_text(bad))
        if bad.console:
            said = console_text(folder, bad.console, CAP // len(case.attempts))
            ET.SubElement(attempt, "system-out").text = said
        yield attempt


def attempt_text(bad: Attempt) -> str:
    """Return what is known about an attempt that did not pass."""
    of_step = f" of {bad.step!r}" if bad.step else ""
    lines = [f"attempt {bad.number}{of_step}: {problem_text(bad.problem)}"]
    lines += [f"then {each}" for each in bad.recovery]
    return "\n".join(lines)


def _output(case: CaseFinished, gathered: Gathered, folder: Path) -> str:
    lines = [f"case: {case.case}", f"at: {case.at}"]
    lines += [f"{key}: {value}" for key, value in case.meta.items()]
    lines += [measured_text(each) for each in gathered.measures]
    if gathered.left_out:
        lines.append(f"{gathered.left_out} more measures are in events.jsonl")
    lines += [f"[[ATTACHMENT|{(folder / path).resolve()}]]" for path in gathered.artifacts]
    if case.simulated:
        lines.append("simulated: no hardware was behind this bench")
    return "\n".join([legal("\n".join(lines)), console_text(folder, case.console)])


def measured_text(measured: Measured) -> str:
    """Return a measure in one line, with its limits.

    >>> measured_text(Measured(name="boot", value=12.5, unit="s", maximum=40))
    'measure boot: 12.5 s [pass] (max 40)'
    """
    limits = (
        ("min", measured.minimum),
        ("max", measured.maximum),
        ("equals", measured.equals),
        ("warn", measured.warn),
    )
    said = ", ".join(f"{name} {value:g}" for name, value in limits if value is not None)
    unit = f" {measured.unit}" if measured.unit else ""
    return f"measure {measured.name}: {measured.value:g}{unit} [{measured.verdict}]" + (
        f" ({said})" if said else ""
    )
