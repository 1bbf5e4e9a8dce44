"""What a run left behind, as tests ask for it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree
from support.peers import ROOT

SCHEMAS = ROOT / "tests" / "support" / "schemas"


@dataclass(frozen=True)
class Case:
    """A case of JUnit: `kind` is ``passed``, ``failure``, ``error`` or ``skipped``."""

    kind: str
    type: str
    message: str
    text: str


def cases(folder: Path) -> dict[str, Case]:
    """Return the cases of the latest run in a folder by their names; the file is valid for CI servers."""
    path = folder / "results" / "latest" / "junit.xml"
    _refuse_invalid(path)
    return {str(each.get("name")): _case(each) for each in ET.parse(path).getroot().iter("testcase")}


def events(folder: Path) -> list[dict[str, Any]]:
    """Return the events of the latest run in a folder."""
    path = folder / "results" / "latest" / "events.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _refuse_invalid(path: Path) -> None:
    document = etree.parse(path)
    etree.XMLSchema(etree.parse(SCHEMAS / "jenkins.xsd")).assertValid(document)
    surefire = etree.XMLSchema(etree.parse(SCHEMAS / "surefire.xsd"))
    for suite in document.getroot():
        surefire.assertValid(suite)


def _case(element: ET.Element) -> Case:
    for kind in ("failure", "error", "skipped"):
        found = element.find(kind)
        if found is not None:
            return Case(kind, found.get("type", ""), found.get("message", ""), found.text or "")
    return Case("passed", "", "", "")
