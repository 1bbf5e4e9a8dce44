"""Waiting for patterns, without a console."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.console.expectation import Expectation, Mode
from runner.console.pattern import Pattern, exact, regex
from runner.console.transcript import Transcript

KERNEL = b"[    3.141592] usb 1-1: new device\r\n"
WORDS = [
    b"login: ",
    b"a1 b22",
    b"Password: ",
    b"\r\n",
    b"\n",
    b"ab",
    b"b",
    b"c",
    b"12",
    b"345",
    b" bytes",
    KERNEL,
    b"# ",
]
PATTERNS = [
    regex(r"login: "),
    regex(r"[#$] "),
    regex(r"\d+ bytes"),
    regex(r"\d\d"),
    regex(r"a.*b"),
    regex(r"ab.*c|b"),
    regex(r"a[\s\S]*?c"),
    regex(r"a[\s\S]*c"),
    regex(r"^c"),
    regex(r"c$"),
    regex(r"b(?=\d)"),
    regex(r"usb (\d)-(\d): new (?P<what>\w+)"),
    exact(b"\nb"),
]
streams = st.lists(st.sampled_from(WORDS), max_size=25).map(b"".join)
cuts = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=5)
chosen = st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique_by=id)

Events = list[tuple[str, int, int, bytes, bool]]


def events(
    data: bytes, sizes: list[int], patterns: list[Pattern], mode: Mode, forbid: list[Pattern]
) -> tuple[Events, object]:
    transcript = Transcript(quiet=0.1)
    expectation = Expectation(transcript, patterns, 0, mode=mode, count=4, forbid=forbid)
    transcript.listen(expectation)
    at = step = 0
    while at < len(data):
        size = sizes[step % len(sizes)]
        transcript.feed(data[at : at + size], 0.0)
        at, step = at + size, step + 1
    transcript.tick(1.0)
    found = [
        (sighting.pattern.source, sighting.start, sighting.end, sighting.hit.text, sighting.kernel)
        for sighting in expectation.found
    ]
    return found, expectation.forbidden and expectation.forbidden.start


@settings(max_examples=120, deadline=None)
@given(
    data=streams,
    sizes=cuts,
    patterns=chosen,
    mode=st.sampled_from(["any", "all", "ordered"]),
    forbid=st.sampled_from([[], [regex(r"345")], [regex(r"2 b\w+")]]),
)
def test_a07_what_is_found_does_not_depend_on_how_the_bytes_were_cut(
    data: bytes, sizes: list[int], patterns: list[Pattern], mode: Mode, forbid: list[Pattern]
) -> None:
    whole = events(data, [max(len(data), 1)], patterns, mode, forbid)

    for pieces in (sizes, [1], [2], [7], [4096]):
        assert events(data, pieces, patterns, mode, forbid) == whole


def satisfied(patterns: list[Pattern], data: bytes, **options: object) -> Expectation:
    transcript = Transcript(quiet=0.1)
    transcript.feed(data, 0.0)
    transcript.tick(1.0)
    expectation = Expectation(transcript, patterns, 0, **options)  # type: ignore[arg-type]
    transcript.listen(expectation)
    return expectation


def test_a_prompt_that_the_kernel_has_cut_is_found() -> None:
    assert satisfied([regex("login: ")], b"lo" + KERNEL + b"gin: ").done


def test_a_kernel_message_is_found_with_its_groups() -> None:
    found = satisfied([PATTERNS[11]], b"lo" + KERNEL).found[0]

    assert found.kernel
    assert found.hit.groups == (b"1", b"1", b"device")


def test_the_status_of_a_pattern_of_any_width_waits_for_its_line() -> None:
    transcript = Transcript(quiet=0.1)
    expectation = Expectation(transcript, [regex(r"U-Boot (\S+)")], 0)
    transcript.listen(expectation)

    transcript.feed(b"U-Boot 20", 0.0)
    assert not expectation.done
    transcript.feed(b"23.01\r\n", 0.05)

    assert expectation.found[0].hit.groups == (b"2023.01",)


def test_an_unfinished_line_counts_when_the_console_is_quiet() -> None:
    transcript = Transcript(quiet=0.1)
    expectation = Expectation(transcript, [regex(r"\w+[#$] $")], 0)
    transcript.listen(expectation)
    transcript.feed(b"\r\nroot# ", 0.0)

    transcript.tick(0.05)
    assert not expectation.done
    transcript.tick(0.11)

    assert expectation.done


def test_all_of_them_may_come_in_any_order() -> None:
    wanted = [regex("one"), regex("two")]

    assert satisfied(wanted, b"two one", mode="all").done
    assert not satisfied(wanted, b"two one", mode="ordered").done


def test_what_is_missing_is_known() -> None:
    expectation = satisfied([regex("one"), regex("two")], b"two", mode="all")

    assert [pattern.source for pattern in expectation.missing] == ["one"]


def test_a_forbidden_pattern_counts_only_when_it_came_first() -> None:
    assert satisfied([regex("ok")], b"bad\r\nok\r\n", forbid=[regex("bad")]).forbidden
    assert not satisfied([regex("ok")], b"ok\r\nbad\r\n", forbid=[regex("bad")]).forbidden


def test_a08_the_text_that_is_kept_is_bounded() -> None:
    transcript = Transcript(quiet=0.1, keep=1000)
    for _ in range(100):
        transcript.feed(b"x" * 99 + b"\n", 0.0)

    assert 1000 <= transcript.text.end - transcript.text.start <= 1350
    assert transcript.kept_from() == transcript.text.start


def test_a08_the_places_of_little_pieces_are_bounded_too() -> None:
    transcript = Transcript(quiet=0.1)
    for _ in range(70):
        transcript.feed(b"x\x1b[0m" * 2048, 0.0)

    assert len(transcript.text._segments) <= 1 << 17
    assert transcript.text.raw_of(transcript.text.end - 1) == transcript.position - 5


@pytest.mark.parametrize("text", ["", "a*", "(", "[z-a]"])
def test_what_is_no_pattern_or_matches_everywhere_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="empty text|not a regular expression"):
        regex(text)


@pytest.mark.parametrize(
    ("text", "fixed", "crosses", "literal"),
    [
        (r"(\d+) bytes", False, False, b" bytes"),
        (r"[#$] ", True, False, b" "),
        (r"# $", False, False, b"# "),
        (r"a\s+b", False, True, b"a"),
        (r"a[^x]b", True, True, b"a"),
        (r"(?s)a.b", True, True, b"a"),
        (r"(?i)login:", True, False, b""),
        (r"one|three", False, False, b""),
        (r"(?:Kernel) panic+", False, False, b"Kernel pani"),
    ],
)
def test_a_pattern_is_known_before_it_is_used(text: str, fixed: bool, crosses: bool, literal: bytes) -> None:
    pattern = regex(text)

    assert (pattern.fixed, pattern.crosses, pattern.literal) == (fixed, crosses, literal)
