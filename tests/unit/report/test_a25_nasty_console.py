"""A25: a console that says what XML cannot hold, and far too much of it."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from lxml import etree
from support.events import STARTED, ended

from runner.agent.calls import ConsoleBytes
from runner.report.files import ConsoleFiles
from runner.report.junit import JUnit
from runner.result import ConsoleSlice, Outcome

NASTY = b"\x1b[31m \x00 ]]> \xef\xbf\xbe \xff <&\"'> \xed\xa0\x80 \x7f\r\n"
SAFE = "\\x1b[31m \\x00 ]]> \\ufffe \\xff <&\"'> \\xed\\xa0\\x80 \\x7f"
SECOND = 1_700_000_000 * 10**9
STAMP = re.compile(r"\d\d:\d\d:\d\d\.\d{3} ")
LARGE = 3 * 2**20
CAP = 256 * 1024


def played(folder: Path, said: bytes) -> Path:
    """Write the JUnit file of one case whose console said this, in pieces of 8 KiB."""
    files, size = ConsoleFiles(folder), 8192
    for start in range(0, len(said), size):
        files.console(
            ConsoleBytes("b", "uart", start, start, SECOND + start * 1000, said[start : start + size])
        )
    files.close()
    part = ConsoleSlice(device="uart", path="console/b.uart.raw", start=0, end=len(said))
    report = JUnit(folder)
    report.hear(STARTED)
    report.hear(ended(Outcome.PASSED, console=(part,)))
    report.close()
    return folder / "junit.xml"


def texts(path: Path) -> list[str]:
    """Return the case's output as either parser reads it."""
    return [ET.parse(path).findtext(".//system-out") or "", etree.parse(path).findtext(".//system-out") or ""]


def said_in(text: str) -> list[str]:
    """Return the lines of the console, without what the report says before them."""
    lines = text.split("\n")
    return lines[lines.index("--- uart (console/b.uart.raw)") + 1 :]


def test_a25_bytes_that_xml_cannot_hold_are_spelt_out_and_stamped(tmp_path: Path) -> None:
    by_etree, by_lxml = texts(played(tmp_path, NASTY * 3))

    assert by_etree == by_lxml
    lines = said_in(by_etree)[:3]
    assert [STAMP.sub("", line, count=1) for line in lines] == [SAFE] * 3
    assert all(STAMP.match(line) for line in lines)


def test_a25_every_byte_value_survives_both_parsers(tmp_path: Path) -> None:
    by_etree, by_lxml = texts(played(tmp_path, bytes(range(256)) * 4))

    assert by_etree == by_lxml
    assert "\\x00\\x01" in by_etree


@pytest.mark.parametrize("line", [NASTY, b"x" * 60 + b"\r\n", b"\x00", b"\xff" * 8191 + b"\n"])
def test_a25_a_large_console_is_capped_with_a_note_and_stamped(tmp_path: Path, line: bytes) -> None:
    said = (line * (LARGE // len(line) + 1))[:LARGE] + b"\r\nTHE END\r\n"
    path = played(tmp_path, said)
    by_etree, by_lxml = texts(path)

    assert by_etree == by_lxml
    assert (
        f"… the middle of {len(said)} bytes is left out here; all of it is in console/b.uart.raw …"
        in by_etree
    )
    assert "THE END" in by_etree
    assert len(by_etree.encode()) < CAP + 1024
    assert len(by_etree.encode()) > CAP // 2
    assert STAMP.match(said_in(by_etree)[0])
    assert (tmp_path / "console" / "b.uart.raw").stat().st_size == len(said)
