"""Parts of console logs as text, each line with its time."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.events import heard

from runner.report.files import ConsoleFiles
from runner.report.slices import console_text
from runner.report.stamps import stamps
from runner.result import ConsoleSlice


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def log(folder: Path, *pieces: bytes | str) -> None:
    """Write a console's log, a piece each second; text is why the port was away."""
    files = ConsoleFiles(folder)
    for second, piece in enumerate(pieces):
        data, gap = (b"", piece) if isinstance(piece, str) else (piece, "")
        files.console(heard(data, at=second, gap=gap))
    files.close()


def part(start: int, end: int) -> ConsoleSlice:
    return ConsoleSlice(device="uart", path="console/b.uart.raw", start=start, end=end)


def lines(folder: Path, start: int, end: int, cap: int = 1000) -> list[str]:
    return console_text(folder, [part(start, end)], cap).split("\n")[1:]


def test_each_line_has_the_time_when_its_first_byte_was_read(tmp_path: Path) -> None:
    log(tmp_path, b"one\r\ntw", b"o\nthree", b"\n")

    assert lines(tmp_path, 0, 15) == [
        "00:00:00.000 one",
        "00:00:00.000 two",
        "00:00:01.000 three",
        "00:00:02.000 ",
    ]


def test_a_part_begins_with_the_time_of_the_bytes_it_is_in(tmp_path: Path) -> None:
    log(tmp_path, b"one\ntwo\n", b"three\n")

    assert lines(tmp_path, 4, 7) == ["00:00:00.000 two"]
    assert lines(tmp_path, 8, 13) == ["00:00:01.000 three"]


def test_a_port_that_was_away_is_told_where_it_was(tmp_path: Path) -> None:
    log(tmp_path, b"one\n", "lost: no such device", b"two\n", "lost: again")

    assert lines(tmp_path, 0, 8) == [
        "00:00:00.000 one",
        "00:00:01.000 (the console: lost: no such device)",
        "00:00:02.000 two",
        "00:00:03.000 (the console: lost: again)",
        "00:00:03.000 ",
    ]
    assert lines(tmp_path, 5, 7) == ["00:00:02.000 wo"]


def test_bytes_that_no_file_may_hold_are_spelt_out(tmp_path: Path) -> None:
    log(tmp_path, b"\x1b[0m\x00\xff\xef\xbf\xbe]]>10%\r20%\r\n")

    assert lines(tmp_path, 0, 22) == [
        "00:00:00.000 \\x1b[0m\\x00\\xff\\ufffe]]>10%",
        "00:00:00.000 20%",
        "00:00:00.000 ",
    ]


def test_too_much_is_cut_in_the_middle_with_the_times_of_both_ends(tmp_path: Path) -> None:
    log(tmp_path, *[b"%04d\n" % number for number in range(1000)])
    found = lines(tmp_path, 0, 5000, cap=200)

    assert found[0] == "00:00:00.000 0000"
    assert "… the middle of 5000 bytes is left out here; all of it is in console/b.uart.raw …" in found
    assert found[-2] == "00:16:39.000 0999"
    assert sum(len(line) + 1 for line in found) < 300


def test_what_grows_when_it_is_spelt_out_is_cut_again(tmp_path: Path) -> None:
    log(tmp_path, b"\x00" * 150)

    assert len("\n".join(lines(tmp_path, 0, 150, cap=200))) < 300


def test_a_log_without_an_index_or_with_a_broken_one_is_shown_without_times(tmp_path: Path) -> None:
    log(tmp_path, b"one\n", b"two\n")
    index = tmp_path / "console" / "b.uart.idx"
    index.write_bytes(index.read_bytes()[:-10])
    assert lines(tmp_path, 0, 8)[:2] == ["00:00:00.000 one", "00:00:00.000 two"]
    index.unlink()
    assert lines(tmp_path, 0, 8) == ["one", "two", ""]


def test_a_log_that_is_gone_says_so(tmp_path: Path) -> None:
    assert lines(tmp_path, 0, 8) == ["(the console's log cannot be read: No such file or directory)"]


def test_several_consoles_share_the_room(tmp_path: Path) -> None:
    log(tmp_path, b"x" * 400)
    text = console_text(tmp_path, [part(0, 400), part(0, 400)], 400)

    assert text.count("--- uart (console/b.uart.raw)") == 2
    assert len(re.findall("x", text)) < 420


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 30), min_size=1, max_size=400), st.data())
def test_the_stamps_found_by_halves_are_those_found_by_looking_at_all(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log(folder, *[b"x" * size for size in sizes])
    total = sum(sizes)
    start = data.draw(st.integers(0, total - 1))
    end = data.draw(st.integers(start + 1, total))
    offsets = [sum(sizes[:number]) for number in range(len(sizes))]
    first = max(offset for offset in offsets if offset <= start)

    found = [stamp.offset for stamp in stamps(folder / "console" / "b.uart.raw", start, end)]
    assert found == [offset for offset in offsets if first <= offset < end]
