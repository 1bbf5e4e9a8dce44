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


def shown(folder: Path, text: str, line: int, column: int, length: int = 1) -> list[str]:
    """Return the quoted line and the carets under it."""
    file = folder / "q.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    return render(
        [Fault(code="E1", message="m", at=at(file, line, column, length))], color=False
    ).splitlines()[1:]


def test_lines_are_counted_as_yaml_does(tmp_path: Path) -> None:
    assert shown(tmp_path, "a: \x0c\r\nb: 1\rc: 2", 3, 4)[0] == "    3 | c: 2"


def test_the_caret_stands_under_its_word_whatever_is_before_it(tmp_path: Path) -> None:
    assert shown(tmp_path, "\t\u6f22\u0301: x", 1, 6) == ["    1 | \t\u6f22\u0301: x", "      | \t    ^"]


def test_a_very_long_line_is_quoted_around_the_place(tmp_path: Path) -> None:
    quoted, carets = shown(tmp_path, "a" * 500 + "WRONG" + "b" * 500, 1, 501, 5)

    assert len(quoted) < 180
    assert quoted[carets.index("^") : carets.rindex("^") + 1] == "WRONG"


def test_a_secret_of_the_line_is_not_printed(tmp_path: Path) -> None:
    quoted, carets = shown(tmp_path, "password: !secret hunter2", 1, 19, 7)

    assert quoted == "    1 | password: !secret *******"
    assert carets == "      |                   ^^^^^^^"


def test_control_characters_of_the_line_are_not_obeyed(tmp_path: Path) -> None:
    quoted, carets = shown(tmp_path, "a\x1b[2Jb: x", 1, 8)

    assert quoted == "    1 | a\ufffd[2Jb: x"
    assert carets == "      |        ^"


def test_colours_are_used_when_wanted() -> None:
    assert "\x1b[31merror[E1]\x1b[0m" in render([Fault(code="E1", message="m")], color=True)
    assert "\\x1b[2J" in render([Fault(code="E1", message="\x1b[2J")], color=True)


def test_a_place_that_is_not_in_the_file_is_still_named(tmp_path: Path) -> None:
    assert shown(tmp_path, "a: 1", 7, 1) == []
    fault = Fault(code="E1", message="m", at=Location("not there", 1, 1), hint="h")
    assert render([fault], color=False) == "not there:1:1: error[E1]: m\n  hint: h\n"
