"""Faults as a person reads them."""

import json
from pathlib import Path

from runner.errors import Fault, Location
from runner.report.faults import as_json, render


def at(path: Path, line: int, column: int, length: int) -> Location:
    return Location(str(path), line, column, length)


def test_a_fault_shows_its_line_with_a_caret_under_the_word_and_the_hint(tmp_path: Path) -> None:
    file = tmp_path / "boot.yaml"
    file.write_text("steps:\n  - uboot_cmd:\n      tiemout: 5s\n", encoding="utf-8")
    hint = "did you mean 'timeout'?  (timeout: duration = 1m)"
    fault = Fault(code="E231", message="uboot_cmd has no argument 'tiemout'", at=at(file, 3, 7, 7), hint=hint)

    assert render([fault], color=False) == (
        f"{file}:3:7: error[E231]: uboot_cmd has no argument 'tiemout'\n"
        "    3 |       tiemout: 5s\n"
        f"      |       ^^^^^^^ {hint}\n"
    )


def test_at_most_twenty_are_shown_and_the_rest_is_counted() -> None:
    text = render([Fault(code="E101", message=f"m{number}") for number in range(23)], color=False)

    assert text.count("error[") == 20
    assert text.endswith("… and 3 more\n")


def test_a_fault_without_a_line_still_says_what_to_do() -> None:
    assert render([Fault(code="E501", message="x", hint="y")], color=False) == "error[E501]: x\n  hint: y\n"


def test_the_chain_of_imports_follows() -> None:
    fault = Fault(code="E201", message="x", chain=(("imported", Location("a.yaml", 2, 3)),))

    assert "  imported at a.yaml:2:3\n" in render([fault], color=False)


def test_tools_get_json() -> None:
    found = json.loads(as_json([Fault(code="E1", message="x", at=Location("a", 1, 2, 3), hint="h")]))

    assert found["faults"] == [
        {"code": "E1", "message": "x", "hint": "h", "path": "a", "line": 1, "column": 2, "length": 3}
    ]
