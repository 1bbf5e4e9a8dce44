"""What a run left in its folder, as a CI server reads it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from lxml import etree
from support.peers import ROOT

SCHEMAS = ROOT / "tests" / "support" / "schemas"
KINDS = {"failure": "failed", "error": "error", "skipped": "skipped"}


class Report:
    """The folder of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.junit = folder / "junit.xml"

    @property
    def suites(self) -> list[ET.Element]:
        return list(ET.parse(self.junit).getroot())

    @property
    def cases(self) -> dict[str, ET.Element]:
        """The test cases by their names, without the bench."""
        return {str(case.get("name")): case for suite in self.suites for case in suite.findall("testcase")}

    @property
    def outcomes(self) -> dict[str, str]:
        """What a CI server shows for each case."""
        return {name: outcome(case) for name, case in self.cases.items()}

    def problem(self, name: str) -> str:
        """What stands in the report as the reason of a case: the type, the message and the details."""
        found = [child for child in self.cases[name] if child.tag in KINDS]
        assert len(found) == 1, name
        return f"{found[0].get('type')}\n{found[0].get('message')}\n{found[0].text}"

    def result(self) -> dict[str, Any]:
        """Read results.json."""
        read: dict[str, Any] = json.loads((self.folder / "results.json").read_text(encoding="utf-8"))
        return read

    def assert_valid(self) -> None:
        """Hold the JUnit file to the rules of Jenkins and of Surefire."""
        document = etree.parse(self.junit)
        etree.XMLSchema(etree.parse(SCHEMAS / "jenkins.xsd")).assertValid(document)
        surefire = etree.XMLSchema(etree.parse(SCHEMAS / "surefire.xsd"))
        for suite in document.getroot():
            surefire.assertValid(suite)


def outcome(case: ET.Element) -> str:
    """Return how a test case ended."""
    return next((KINDS[child.tag] for child in case if child.tag in KINDS), "passed")
