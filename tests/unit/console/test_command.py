"""Commands at a shell, on a board without a thread."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.boards import BoardConsole, ShellBoard
from support.simulated import VirtualBoard

from runner.api import Duration, LabError, RecipeFault, TimedOut
from runner.console.exchange import Exchange
from runner.console.transcript import Transcript
from runner.modules.sim.options import Faults, System

LONG = Duration("60s")
KERNEL = b"[   12.345678] usb 1-1: new high-speed USB device\r\n"
ANSWERS = {
    "cat a": ("one\ntwo [3]\n<6 }x\n", 3),
    "true": ("", 0),
    "printf x": ("x", 0),
    "x" * 114: ("long\n", 0),
    "echo 'it'": ("it\n", 0),
    "dmesg": ("[    1.000000] old message\n[    2.000000] another\n", 0),
}


def console(**options: object) -> BoardConsole:
    return BoardConsole(ShellBoard(ANSWERS, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("functions", [True, False])
def test_output_and_status_come_back(functions: bool) -> None:
    at = console(functions=functions)

    ran = at.run("cat a", at.context, timeout=LONG)

    assert (ran.output, ran.status, ran.resent) == ("one\ntwo [3]\n<6 }x", 3, 0)


def test_output_without_a_newline_is_kept_as_it_is() -> None:
    at = console()

    assert at.run("printf x", at.context, timeout=LONG).output == "x"


@pytest.mark.parametrize("chunk", [7, 4096])
@pytest.mark.parametrize("functions", [True, False])
def test_a01_a_kernel_message_at_every_byte_changes_neither_output_nor_status(
    functions: bool, chunk: int
) -> None:
    clean = console(functions=functions)
    clean.run("cat a", clean.context, timeout=LONG)
    size = clean.board.said
    first = 0 if chunk == 4096 and functions else size - 110  # prompt, echo, frames, output

    for at in range(first, size, 1 if chunk == 4096 else 5):  # every cut has its test below
        hit = console(functions=functions, chunk=chunk, insert=(at, KERNEL))
        ran = hit.run("cat a", hit.context, timeout=LONG)

        assert (at, ran.output, ran.status, ran.resent) == (at, "one\ntwo [3]\n<6 }x", 3, 0)
        hit.hear()
        assert (at, hit.kernel()) == (at, KERNEL.replace(b"\r\n", b"\n"))
        assert hit.context.logs == clean.context.logs
        assert hit.raw.replace(KERNEL, b"") == clean.raw[: len(hit.raw) - len(KERNEL)]


STAMPS = (b"[   12.345678] ", b"<6>[   12.345678] ", b"[   12.345678][  T123] ")


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("begins", [True, False])
def test_a01_a_kernel_message_at_every_byte_cut_at_every_byte_changes_nothing(
    begins: bool, stamp: bytes
) -> None:
    message = stamp + b"usb 1-1: new\r\n"
    said = (b"{abcd\r\n" if begins else b"\r\n") + b"one [2]\r\n<6 }x\r\n}abcd3\r\n# "
    for at in range(len(said) + 1):
        hit = said[:at] + message + said[at:]
        for cut in range(1, len(hit)):
            transcript = Transcript(quiet=0.1)
            exchange = Exchange(transcript, "abcd", 0, begins=begins)
            transcript.listen(exchange)
            transcript.feed(hit[:cut], 0.0)
            transcript.feed(hit[cut:], 0.01)

            answer = exchange.answer
            assert answer is not None, (at, cut)
            assert (at, cut, answer.output, answer.status) == (at, cut, b"one [2]\n<6 }x\n", 3)
            kernel = transcript.kernel.slice(0, transcript.kernel.end)
            assert (at, cut, kernel) == (at, cut, message.replace(b"\r\n", b"\n"))


def flood(lines: int) -> str:
    """Return an output with a kernel message in every tenth line."""
    message = "[   12.{:06}] usb 1-1: message\n"
    return "".join("x" * 79 + "\n" + (message.format(at) if at % 10 == 0 else "") for at in range(lines))


@pytest.mark.parametrize("lines", [2_000, 20_000])
def test_a15_a_flood_of_output_and_kernel_messages_loses_nothing(lines: int) -> None:
    at = BoardConsole(ShellBoard({"flood": (flood(lines), 0)}, chunk=1 << 16))

    ran = at.run("flood", at.context, timeout=LONG)

    assert (len(ran.output), ran.dropped, ran.status) == (80 * lines - 1, 0, 0)
    assert (ran.output.count("x" * 79), len(ran.kernel)) == (lines, lines // 10)


def test_a15_what_is_more_than_is_kept_is_counted_and_in_the_raw_log() -> None:
    at = BoardConsole(ShellBoard({"flood": (flood(140_000), 0)}, chunk=1 << 20))

    ran = at.run("flood", at.context, timeout=LONG)

    assert ran.dropped > 0
    assert len(ran.output) + ran.dropped == 80 * 140_000 - 1
    assert at.raw.count(b"x" * 79) == 140_000


def test_a15_two_thousand_kernel_messages_a_second_lose_nothing() -> None:
    often = Faults(printk_every=Duration("0.5ms"), printk_level=3)
    at = VirtualBoard(system=System(entry="shell"), faults=often)
    at.power_cycle()
    at.login(at.context, user="root", within=LONG)

    ran = at.run("echo begun; sleep 1; echo done; false", at.context, timeout=LONG)

    assert (ran.output, ran.status, ran.resent) == ("begun\ndone", 1, 0)
    numbers = [int(line.split()[-4]) for line in ran.kernel]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= 2_000


def test_kernel_messages_of_a_command_are_told_apart() -> None:
    at = console(insert=(10**9, b""))
    at.run("true", at.context, timeout=LONG)
    at.board.insert = (at.board.said + 8, KERNEL)

    ran = at.run("cat a", at.context, timeout=LONG)

    assert ran.kernel == ("[   12.345678] usb 1-1: new high-speed USB device",)


def test_a_command_that_prints_the_kernel_log_keeps_it() -> None:
    at = console()

    assert (
        at.run("dmesg", at.context, timeout=LONG).output
        == "[    1.000000] old message\n[    2.000000] another"
    )


def test_a_frame_costs_one_exchange_and_at_most_forty_bytes() -> None:
    at = console()
    at.run("true", at.context, timeout=LONG)
    typed, said, writes = len(at.board.typed), at.board.said, len(at.board.writes)

    at.run("cat a", at.context, timeout=LONG)

    (line,) = at.board.writes[writes:]  # one write; all else is waiting for what it brings
    assert b"'cat a'" in line
    output = len("one\r\ntwo [3]\r\n<6 }x\r\n")
    assert len(at.board.typed) - typed - len("cat a") + at.board.said - said - output <= 40


def _dropping(first: int, count: int) -> Callable[[int, bytes], bytes]:
    return lambda at, key: b"" if first <= at < first + count else key


@pytest.mark.parametrize("functions", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a04_swallowed_first_characters_are_noticed_and_typed_again(count: int, functions: bool) -> None:
    at = console(functions=functions)
    at.run("true", at.context, timeout=LONG)
    at.board.hurt = _dropping(len(at.board.typed), count)
    notes = len(at.context.logs)

    ran = at.run("cat a", at.context, timeout=LONG)

    assert (ran.output, ran.status, ran.resent) == ("one\ntwo [3]\n<6 }x", 3, 1)
    assert len(at.context.logs) == notes + 1
    assert at.board.executed == ["true", "cat a"]


@pytest.mark.parametrize("at_byte", range(20))
def test_a04_two_swapped_characters_anywhere_never_run_something_else(at_byte: int) -> None:
    at = console()
    at.run("true", at.context, timeout=LONG)
    start = len(at.board.typed)
    held: list[bytes] = []

    def swap(position: int, key: bytes) -> bytes:
        if position == start + at_byte:
            held.append(key)
            return b""
        return key + held.pop() if held else key

    at.board.hurt = swap
    ran = at.run("cat a", at.context, timeout=LONG)

    assert (ran.output, ran.status) == ("one\ntwo [3]\n<6 }x", 3)
    assert set(at.board.executed) == {"true", "cat a"}


@pytest.mark.parametrize("functions", [True, False])
@pytest.mark.parametrize("first", range(0, 110, 7))
def test_a05_an_overrun_of_sixteen_bytes_is_noticed_and_typing_slows_down(
    first: int, functions: bool
) -> None:
    command = "x" * 114
    at = console(functions=functions)
    at.run("true", at.context, timeout=LONG)
    at.board.hurt = _dropping(len(at.board.typed) + first, 16)

    ran = at.run(command, at.context, timeout=LONG)

    assert (ran.output, ran.resent) == ("long", 1)
    assert at.board.executed == ["true", command]
    assert "1 ms between characters" in at.context.logs[-1]
    began = at.board.now()
    at.run(command, at.context, timeout=LONG)
    assert at.board.now() - began > 0.114


def test_damage_that_stays_is_the_bench_s_fault() -> None:
    at = console()
    at.run("true", at.context, timeout=LONG)
    at.board.hurt = lambda _at, key: b"" if key == b"c" else key

    with pytest.raises(LabError, match="damaged"):
        at.run("cat a", at.context, timeout=LONG)
    assert at.board.executed == ["true"]


def test_a_shell_that_has_lost_the_function_gets_it_again() -> None:
    at = console()
    at.run("true", at.context, timeout=LONG)
    at.board.defined = False

    assert at.run("cat a", at.context, timeout=LONG).status == 3


def test_a_command_that_does_not_end_is_interrupted_and_says_which_limit() -> None:
    at = console()
    at.run("true", at.context, timeout=LONG)
    at.board._execute = lambda command: at.board.say(b"working\r\n") or at.board.say(b"", after=1e9) or 0

    with pytest.raises(TimedOut, match="has not ended within 5s") as caught:
        at.run("sleep 99", at.context, timeout=Duration("5s"))

    assert caught.value.evidence["limit"] == "timeout"
    assert "working" in str(caught.value.evidence["tail"])
    assert at.board.typed.endswith(b"\x03")


def test_without_a_shell_nothing_is_guessed() -> None:
    at = console()
    at.board.key = lambda key: None

    with pytest.raises(TimedOut, match="no shell answers"):
        at.run("true", at.context, timeout=LONG)


@pytest.mark.parametrize("command", ["", "  ", "a\x03", "a\x1bb", "y" * 4001])
def test_what_a_terminal_would_not_pass_on_is_refused_before_it_is_typed(command: str) -> None:
    at = console()

    with pytest.raises(RecipeFault):
        at.run(command, at.context, timeout=LONG)
    assert at.board.typed == b""
