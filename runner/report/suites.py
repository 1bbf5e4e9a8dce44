"""A file of JUnit suites, of which the finished test cases lie in spool files."""

from __future__ import annotations

import html
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from typing import BinaryIO

from runner.report.characters import legal
from runner.report.testcase import unfinished
from runner.result import CaseFinished, CaseStarted, Outcome


class Suite:
    """The cases of one play on one bench: their numbers, and the spool file with what they are."""

    def __init__(self, name: str, properties: Mapping[str, str]) -> None:
        """Have no case yet."""
        self.properties = properties
        self.tests = self.failures = self.errors = self.skipped = 0
        self.seconds = 0.0
        self._unfinished: dict[str, CaseStarted] = {}
        self._name = name
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()

    @property
    def waiting(self) -> int:
        """Return how many cases have begun and not ended."""
        return len(self._unfinished)

    def begin(self, case: CaseStarted) -> None:
        """Take in a case that begins: it is in the file until it ends, as one that did not."""
        self._unfinished[case.case] = case

    def add(self, case: CaseFinished, test_case: bytes) -> None:
        """Take in a finished case."""
        self._unfinished.pop(case.case, None)
        self.tests += 1
        self.seconds += case.seconds
        self.failures += case.outcome in {Outcome.FAILED, Outcome.XPASSED}
        self.errors += case.outcome in {Outcome.ERROR, Outcome.BLOCKED, Outcome.CANCELLED}
        self.skipped += case.outcome in {Outcome.SKIPPED, Outcome.XFAILED}
        self._spool.write(test_case)

    def write(self, file: BinaryIO) -> None:
        """Append the suite to a file."""
        numbers = {
            "name": self._name,
            "tests": self.tests + self.waiting,
            "failures": self.failures,
            "errors": self.errors + self.waiting,
            "skipped": self.skipped,
            "time": f"{self.seconds:.3f}",
        }
        file.write(f"<testsuite {_attributes(numbers)}>\n<properties>".encode())
        properties = ({"name": name, "value": value} for name, value in self.properties.items())
        file.writelines(f"<property {_attributes(each)}/>".encode() for each in properties)
        file.write(b"</properties>\n")
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, file, 1 << 20)
        file.writelines(map(unfinished, self._unfinished.values()))
        file.write(b"</testsuite>\n")

    def close(self) -> None:
        """Let go of the spool file."""
        self._spool.close()


def write(file: BinaryIO, suites: Iterable[Suite]) -> None:
    """Write the whole file."""
    found = list(suites)
    waiting = sum(suite.waiting for suite in found)
    numbers = {
        "name": "runner",
        "tests": sum(suite.tests for suite in found) + waiting,
        "failures": sum(suite.failures for suite in found),
        "errors": sum(suite.errors for suite in found) + waiting,
        "time": f"{sum(suite.seconds for suite in found):.3f}",
    }
    file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {_attributes(numbers)}>\n'.encode())
    for suite in found:
        suite.write(file)
    file.write(b"</testsuites>\n")


def _attributes(values: Mapping[str, object]) -> str:
    return " ".join(f'{name}="{_escaped(str(value))}"' for name, value in values.items())


def _escaped(text: str) -> str:
    """Return a text as it stands between quotes: parsers read a bare line end or tab there as a blank."""
    return html.escape(legal(text)).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
