"""Waiting at a console: cursors, marks, verdicts and their evidence."""

from __future__ import annotations

import pytest
from support.boards import Board, BoardConsole

from runner.api import Cancelled, Duration, Failed, LabError, RecipeFault, TimedOut
from runner.console import ConsoleEnded, ConsoleGone, Match, exact

KERNEL = b"[    3.141592] usb 1-1: new device\r\n"
SECOND = Duration("1s")


@pytest.fixture
def at() -> BoardConsole:
    return BoardConsole(Board())


def said(at: BoardConsole, data: bytes) -> None:
    at.board.say(data)
    at.hear(0.5)


def test_a_match_tells_what_where_and_what_was_before(at: BoardConsole) -> None:
    at.board.say(b"boot\r\nU-Boot 2023.01 (now)\r\n", after=2.0)

    match = at.expect({"version": r"U-Boot (?P<year>\d+)\.(\d+)"}, at.context, within=Duration("5s"))

    assert (match.name, match.text, match.groups) == ("version", "U-Boot 2023.01", ("2023", "01"))
    assert (match.named, match.before, match.offset) == ({"year": "2023"}, "boot\n", 6)
    assert match.elapsed == pytest.approx(2.0)


def test_each_wait_goes_on_where_the_last_match_ended(at: BoardConsole) -> None:
    said(at, b"one two one\r\n")

    first = at.expect("one", at.context, within=SECOND)
    second = at.expect("one", at.context, within=SECOND)

    assert (first.offset, second.offset) == (0, 8)
    with pytest.raises(TimedOut):
        at.expect("one", at.context, within=SECOND)


@pytest.mark.parametrize(("since", "offset"), [("start", 0), ("here", 7), ("power_on", 14)])
def test_a_wait_begins_where_it_is_told(at: BoardConsole, since: str, offset: int) -> None:
    said(at, b"=> one\n")
    at.mark("here")
    said(at, b"=> two\n")
    at.power_mark()
    said(at, b"=> new\n")

    assert at.expect("=> ", at.context, within=SECOND, since=since).offset == offset


def test_now_sees_only_what_comes(at: BoardConsole) -> None:
    said(at, b"=> ")

    with pytest.raises(TimedOut):
        at.expect("=> ", at.context, within=SECOND, since="now")


def test_a06_after_a_power_cycle_an_old_prompt_is_not_even_the_last_one(at: BoardConsole) -> None:
    said(at, b"=> ")
    at.power_mark()

    with pytest.raises(TimedOut):
        at.expect("=> ", at.context, within=SECOND)


def test_a_mark_that_nobody_set_is_the_recipe_s_fault(at: BoardConsole) -> None:
    with pytest.raises(RecipeFault, match="no mark 'boot'"):
        at.expect("x", at.context, within=SECOND, since="boot")


def test_a_pattern_that_is_none_is_the_recipe_s_fault(at: BoardConsole) -> None:
    with pytest.raises(RecipeFault, match="not a regular expression"):
        at.expect("(", at.context, within=SECOND)


def test_a_time_out_shows_what_came_and_what_came_nearest(at: BoardConsole) -> None:
    at.board.say(b"starting\r\nboard lo[ 3.1] usb 1-1: newgin:", after=1.0)

    with pytest.raises(TimedOut, match="expected 'login:' within 15s") as caught:
        at.expect("login:", at.context, within=Duration("15s"), origin="within of step 3")

    evidence = caught.value.evidence
    assert evidence["pattern"] == ["login:"]
    assert (evidence["within"], evidence["limit"]) == (15.0, "within of step 3")
    assert evidence["nearest"] == "board lo[ 3.1] usb 1-1: newgin:"
    assert evidence["nearest_at"] == "at +1.0 s"
    assert caught.value.message.endswith("saw 'board lo[ 3.1] usb 1-1: newgin:' at +1.0 s")
    assert evidence["last_byte_age"] == pytest.approx(14.0)
    assert str(evidence["tail"]).startswith("starting")


def test_the_nearest_miss_may_be_older_than_the_wait_and_may_be_the_kernel_s(at: BoardConsole) -> None:
    at.board.say(b"old logon:\r\n")
    at.hear(2)
    with pytest.raises(TimedOut, match="saw 'old logon:' before the wait began"):
        at.expect("old login:", at.context, within=SECOND)

    at.board.say(b"[    3.141592] usb 1-1: gadget ready\r\n", after=0.5)
    with pytest.raises(TimedOut, match=r"saw '.* usb 1-1: gadget ready' at \+0.5 s"):
        at.expect("usb 1-2: gadget ready", at.context, within=SECOND)


def test_the_last_of_several_near_misses_is_shown_and_none_that_is_far(at: BoardConsole) -> None:
    at.board.say(b"logon: 1\r\nlogon: 2\r\nready\r\n")
    with pytest.raises(TimedOut, match="saw 'logon: 2'"):
        at.expect("login: ", at.context, within=SECOND)

    with pytest.raises(TimedOut, match="no 'zzz' within 1s$"):
        at.expect("zzz", at.context, within=SECOND)


def test_the_step_s_own_limit_is_named_when_it_is_the_shorter_one(at: BoardConsole) -> None:
    with pytest.raises(TimedOut) as caught:
        at.expect("x", at.context, within=Duration("3h"))

    assert (caught.value.evidence["within"], caught.value.evidence["limit"]) == (3600.0, "the step's timeout")


def test_silence_is_told_from_noise(at: BoardConsole) -> None:
    with pytest.raises(TimedOut, match="nothing came"):
        at.expect("x", at.context, within=SECOND)


def test_what_is_forbidden_fails_at_once_and_is_not_a_time_out(at: BoardConsole) -> None:
    at.board.say(b"[    2.000000] Kernel panic - not syncing: dead\r\n", after=2.0)

    with pytest.raises(Failed, match="Kernel panic") as caught:
        at.expect("login:", at.context, within=Duration("60s"), forbid=["Kernel panic"])

    assert not isinstance(caught.value, TimedOut)
    assert at.board.now() < 3


def test_absent_passes_after_the_time_and_fails_at_once(at: BoardConsole) -> None:
    assert isinstance(at.expect("error", at.context, within=SECOND, absent=True), Match)
    at.board.say(b"an error\r\n", after=1.0)

    with pytest.raises(Failed, match="'error'"):
        at.expect("error", at.context, within=Duration("60s"), absent=True)
    assert at.board.now() < 3


def test_all_of_them_in_order_and_counted(at: BoardConsole) -> None:
    said(at, b"two one two\r\n")

    every = at.expect(["one", "two"], at.context, within=SECOND, since="start", all_of=True)
    ordered = at.expect(["one", "two"], at.context, within=SECOND, since="start", ordered=True)
    counted = at.expect("two", at.context, within=SECOND, since="start", count=2)

    assert [found.offset for found in every.found] == [0, 4]
    assert [found.offset for found in ordered.found] == [4, 8]
    assert counted.offset == 8


def test_exact_bytes_are_no_expression(at: BoardConsole) -> None:
    said(at, b"a.c abc a.c\r\n")

    assert at.expect(b"a.c", at.context, within=SECOND, count=2).offset == 8
    assert at.expect(exact("abc"), at.context, within=SECOND, since="start").offset == 4


@pytest.mark.parametrize("chunk", [1, 2, 7, 4096])
def test_a08_any_byte_is_recorded_as_it_came(chunk: int) -> None:
    at = BoardConsole(Board(chunk=chunk))
    data = (
        bytes(range(256)) * 3
        + "é€".encode()
        + b"\x1b"
        + KERNEL
        + bytes(reversed(range(256)))
        + b"\r\ndone\r\n"
    )

    at.board.say(data)
    at.expect("done\n", at.context, within=Duration("60s"))

    assert at.raw == data


def test_a08_a_megabyte_without_a_line_end_is_searched_and_recorded(at: BoardConsole) -> None:
    data = b"x" * 700_000 + "é".encode()[:1] + b"needle\x1b" + b"y" * 300_000
    at.board.chunk = 1 << 16
    at.board.say(data)

    assert at.expect("needle", at.context, within=SECOND).offset == 700_001
    at.hear()
    assert at.raw == data


def test_an_old_cursor_is_told_when_the_text_has_been_forgotten(at: BoardConsole) -> None:
    at.board.chunk = 1 << 20
    said(at, b"needle\r\n" + b"x" * 79 + b"\n")
    for _ in range(12):
        said(at, (b"x" * 79 + b"\n") * 13107)

    with pytest.raises(TimedOut):
        at.expect("needle", at.context, within=SECOND, since="start")
    assert "only in the raw log" in at.context.logs[-1]


def test_a_port_that_is_gone_is_the_bench_s_fault(at: BoardConsole) -> None:
    def gone(_timeout: float) -> bytes:
        raise ConsoleGone("unplugged")

    at.board.read = lambda timeout: setattr(at.board, "_now", at.board.now() + timeout) or gone(timeout)

    with pytest.raises(LabError, match="unplugged"):
        at.expect("x", at.context, within=SECOND)


def test_a_cancelled_step_does_not_wait(at: BoardConsole) -> None:
    at.context.cancel()

    with pytest.raises(Cancelled):
        at.expect("x", at.context, within=Duration("1h"))


def test_what_is_typed_keeps_its_pace_and_its_bytes(at: BoardConsole) -> None:
    paced = BoardConsole(
        Board(), at.settings.__class__(char_delay=Duration("10ms"), chunk=2, kernel_level=None)
    )

    paced.send(b"abcdef\x00", paced.context)

    assert paced.board.typed == b"abcdef\x00"
    assert paced.board.now() == pytest.approx(0.04)


def test_the_tail_shows_the_kernel_s_lines_where_they_came(at: BoardConsole) -> None:
    said(at, b"first\r\nlog" + KERNEL + b"in: ")

    assert at.tail(3).split("\n") == ["first", "log[    3.141592] usb 1-1: new device", "in: "]


def test_a_console_that_was_not_started_says_so() -> None:
    at = BoardConsole(Board())
    at.stop()

    with pytest.raises(RuntimeError, match="not been started"):
        at.position()


class Ending(Board):
    """Ends like a machine whose program was killed; has a new life from its power on."""

    ended = True

    def read(self, timeout: float) -> bytes:
        if self.ended:
            raise ConsoleEnded("the program has ended by itself")
        return super().read(timeout)


def test_nobody_waits_for_a_board_that_has_ended() -> None:
    at = BoardConsole(Ending())

    with pytest.raises(LabError, match="console 'console': the program has ended by itself") as caught:
        at.expect("never", at.context, within=Duration("1h"))

    assert "power_cycle" in caught.value.hint
    assert at.board.now() < 1


def test_what_a_board_said_before_it_ended_is_found() -> None:
    board = Ending()
    board.ended = False
    at = BoardConsole(board)
    said(at, b"last words\r\n")
    board.ended = True

    assert at.expect("last words", at.context, within=SECOND, since="start").text == "last words"


def test_a_board_that_has_ended_is_waited_for_after_its_power_was_switched() -> None:
    board = Ending()
    at = BoardConsole(board)
    with pytest.raises(LabError):
        at.expect("never", at.context, within=SECOND)
    board.ended = False
    at.power_mark()
    board.say(b"U-Boot again\r\n", after=0.5)

    assert at.expect("U-Boot", at.context, within=SECOND).text == "U-Boot"
