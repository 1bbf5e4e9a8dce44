"""Results as JUnit XML: a suite for each play and bench, a test case for each case.

The file is valid at every moment: after each case it is written anew beside the old one
and renamed over it. Finished test cases lie in a spool file, so that memory does not grow.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

from junit_xml import TestCase, TestSuite

from runner.agent.calls import ConsoleBytes
from runner.report.problem import problem_text
from runner.report.slices import console_text
from runner.result import (
    ArtifactSaved,
    BenchTaken,
    CaseFinished,
    CaseStarted,
    Event,
    Measured,
    Outcome,
    Problem,
    RunStarted,
    StepFinished,
)

_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) refuses, and the control characters that it only discourages."""
_ERRORS = {
    Outcome.BLOCKED: "Blocked",
    Outcome.CANCELLED: "Cancelled",
}
_BLAMED = {
    "lab": "LabError",
    "recipe": "RecipeError",
    "crash": "Crash",
    "board": "LabError",
    "cancelled": "Cancelled",
}


def legal(text: str) -> str:
    r"""Return text in which everything that XML cannot hold is spelt out.

    >>> legal("a\x1b[0m")
    'a\\x1b[0m'
    """
    return _ILLEGAL.sub(_spelt, text)


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class _Suite:
    """One suite: its numbers, and the spool file with its finished test cases."""

    def __init__(self, name: str, spool: IO[bytes], properties: Mapping[str, str]) -> None:
        self.name = name
        self.spool = spool
        self.properties = properties
        self.tests = self.failures = self.errors = self.skipped = 0
        self.seconds = 0.0

    def add(self, case: CaseFinished, fragment: bytes) -> None:
        self.tests += 1
        self.seconds += case.seconds
        self.failures += case.outcome in {Outcome.FAILED, Outcome.XPASSED}
        self.errors += case.outcome in {Outcome.ERROR, Outcome.BLOCKED, Outcome.CANCELLED}
        self.skipped += case.outcome in {Outcome.SKIPPED, Outcome.XFAILED}
        self.spool.write(fragment)

    def head(self) -> str:
        counts = {
            "name": self.name,
            "tests": self.tests,
            "failures": self.failures,
            "errors": self.errors,
            "skipped": self.skipped,
            "time": f"{self.seconds:.6f}",
        }
        attributes = " ".join(f"{key}={quoteattr(legal(str(value)))}" for key, value in counts.items())
        properties = "".join(
            f"<property name={quoteattr(legal(name))} value={quoteattr(legal(value))}/>"
            for name, value in self.properties.items()
        )
        return f"<testsuite {attributes}>" + (f"<properties>{properties}</properties>" if properties else "")


class JUnit:
    """The listener that keeps junit.xml up to date."""

    def __init__(self, folder: Path, also: str | None = None) -> None:
        """Write ``junit.xml`` into the run's folder, and to `also`."""
        self._folder = folder
        self._paths = [folder / "junit.xml", *([Path(also)] if also else [])]
        self._suites: dict[tuple[str, str], _Suite] = {}
        self._started = ""
        self._benches: dict[str, BenchTaken] = {}
        self._measures: dict[str, list[Measured]] = {}
        self._artifacts: dict[str, list[str]] = {}
        self._dirty = True

    def hear(self, event: Event) -> None:
        """Take note of what belongs to a case; write the file when it ends."""
        match event:
            case RunStarted():
                self._started = event.started
                self._write()
            case BenchTaken():
                self._benches[event.bench] = event
            case CaseStarted():
                self._measures.pop(event.case, None)
            case StepFinished() if event.measures:
                self._measures.setdefault(event.case, []).extend(event.measures)
            case ArtifactSaved():
                self._artifacts.setdefault(event.case, []).append(event.path)
            case CaseFinished():
                self._suite(event).add(event, self._fragment(event))
                self._write()
            case _:
                pass

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Write the file a last time and let go of the spool files."""
        self._write()
        for suite in self._suites.values():
            suite.spool.close()

    def _suite(self, case: CaseFinished) -> _Suite:
        key = (case.play, case.bench)
        if key not in self._suites:
            spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
            self._suites[key] = _Suite(f"{case.play}@{case.bench}", spool, self._properties(case))
        return self._suites[key]

    def _properties(self, case: CaseFinished) -> dict[str, str]:
        properties = {"bench": case.bench, "recipe": case.recipe, "started": self._started}
        bench = self._benches.get(case.bench)
        if bench is not None:
            properties["host"] = bench.host
            properties |= {f"device {name}": driver for name, driver in bench.devices.items()}
        if case.simulated:
            properties["simulated"] = ", ".join(bench.simulated) if bench else "true"
        return properties

    def _fragment(self, case: CaseFinished) -> bytes:
        head, _, _bench = case.case.rpartition("@")
        recipe, _, name = head.partition("::")
        test = TestCase(legal(name), legal(f"{recipe}.{case.bench}"), case.seconds, stdout=self._output(case))
        _say_outcome(test, case)
        suite = TestSuite("", [test]).build_xml_doc()
        element = suite.find("testcase")
        element.set("time", f"{case.seconds:.6f}")
        _add_flaky(element, case)
        for skipped in element.findall("skipped"):
            skipped.attrib.pop("type", None)  # Surefire knows no type here
        return bytes(ET.tostring(element, encoding="utf-8"))

    def _output(self, case: CaseFinished) -> str:
        lines = [f"case: {case.case}", f"at: {case.at}"]
        lines += [f"{key}: {value}" for key, value in case.meta.items()]
        lines += [_measured(each) for each in self._measures.pop(case.case, [])]
        lines += [
            f"[[ATTACHMENT|{(self._folder / path).resolve()}]]" for path in self._artifacts.pop(case.case, [])
        ]
        if case.simulated:
            lines.append("simulated: no hardware was behind this bench")
        return legal("\n".join([*lines, console_text(self._folder, case.console)]))

    def _write(self) -> None:
        for path in self._paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{os.getpid()}")
            with part.open("wb") as file:
                self._write_to(file)
            part.replace(path)

    def _write_to(self, file: IO[bytes]) -> None:
        suites = self._suites.values()
        totals = {
            "name": "runner",
            "tests": sum(suite.tests for suite in suites),
            "failures": sum(suite.failures for suite in suites),
            "errors": sum(suite.errors for suite in suites),
            "time": f"{sum(suite.seconds for suite in suites):.6f}",
        }
        attributes = " ".join(f'{name}="{value}"' for name, value in totals.items())
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {attributes}>'.encode())
        for suite in suites:
            file.write(f"\n{suite.head()}\n".encode())
            suite.spool.seek(0)
            shutil.copyfileobj(suite.spool, file)
            file.write(b"\n</testsuite>")
        file.write(b"\n</testsuites>\n")


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
        case Outcome.ERROR | Outcome.BLOCKED | Outcome.CANCELLED:
            kind = _ERRORS.get(case.outcome) or _BLAMED.get(problem.blame, "LabError")
            test.add_error_info(message=message, output=text, error_type=kind)
        case Outcome.PASSED | Outcome.FLAKY:
            pass


def _add_flaky(element: ET.Element, case: CaseFinished) -> None:
    """Add what junit-xml has no word for: an element for each bad attempt before the last one."""
    passed = case.outcome in {Outcome.PASSED, Outcome.FLAKY}
    for number, problem in enumerate(case.attempts, start=1):
        lab = problem.blame in {"lab", "recipe", "crash"}
        name = (
            ("flakyError" if lab else "flakyFailure") if passed else ("rerunError" if lab else "rerunFailure")
        )
        flaky = ET.Element(name, {"message": legal(problem.message), "type": problem.kind or "assertion"})
        trace = ET.SubElement(flaky, "stackTrace")
        trace.text = legal(f"attempt {number}: {problem_text(problem)}")
        element.insert(len(element) - len(element.findall("system-out")), flaky)


def _measured(measured: Measured) -> str:
    limits = {
        "min": measured.minimum,
        "max": measured.maximum,
        "equals": measured.equals,
        "warn": measured.warn,
    }
    said = ", ".join(f"{name} {value:g}" for name, value in limits.items() if value is not None)
    unit = f" {measured.unit}" if measured.unit else ""
    return f"measure {measured.name}: {measured.value:g}{unit} [{measured.verdict}]" + (
        f" ({said})" if said else ""
    )
