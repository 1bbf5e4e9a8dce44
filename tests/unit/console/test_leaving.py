"""Logging out and shutting down."""

from __future__ import annotations

import pytest
from support.boards import BoardConsole, ShellBoard

from runner.api import Duration, Failed, LabError, TimedOut

SILENCE = Duration("5s")
LONG = Duration("60s")


class System(ShellBoard):
    """A shell, maybe inside others, with a login outside and a system that can be shut down."""

    def __init__(
        self,
        *,
        depth: int = 1,
        outside: bytes = b"\r\nboard login: ",
        last_words: bytes = b"The system is going down NOW!\r\n[   12.345678] reboot: Power down\r\n",
        status: int = 0,
        functions: bool = True,
        times: int = 1,
    ) -> None:
        super().__init__({"true": ("", 0)}, functions=functions)
        self.depth = depth
        self.outside = outside
        self.last_words = last_words
        self.status = status
        self.times = times
        self.down = False

    def key(self, key: bytes) -> None:
        if self.depth and not self.down:
            super().key(key)

    def ran(self, line: str) -> None:
        if line == "exit":
            self.depth -= 1
            self.defined = False
        else:
            super().ran(line)

    def _execute(self, command: str) -> int:
        if not command.endswith("poweroff"):
            return super()._execute(command)
        self.executed.append("poweroff")
        if not self.status and self.last_words:
            self.down = True
            for second in range(self.times):
                self.say(self.last_words, after=2.0 + second)
        return self.status

    def say(self, data: bytes, after: float = 0.0) -> None:
        if data == self.prompt and (not self.depth or self.down):
            data = b"" if self.down else self.outside
        super().say(data, after)


@pytest.mark.parametrize("functions", [True, False])
@pytest.mark.parametrize("depth", [1, 3])
def test_every_shell_is_left_until_the_login_asks(depth: int, functions: bool) -> None:
    at = BoardConsole(System(depth=depth, functions=functions))
    at.run("true", at.context, timeout=LONG)

    left = at.logout(at.context, within=Duration("10s"))

    assert (left.already, left.shells) == (False, depth)
    assert at.board.echo  # type: ignore[attr-defined]
    assert at.expect("login: ", at.context, within=Duration("1s")).offset > 0


def test_a_console_to_be_activated_is_left_too() -> None:
    at = BoardConsole(System(outside=b"\r\nPlease press Enter to activate this console."))

    assert at.logout(at.context, within=Duration("10s")).shells == 1


def test_where_the_login_asks_nothing_is_typed() -> None:
    at = BoardConsole(System(depth=0))
    at.board.say(b"\r\nboard login: ")
    at.hear()

    assert at.logout(at.context, within=Duration("10s")).already
    assert at.board.typed == b""


def test_without_a_login_outside_it_times_out_and_says_so() -> None:
    at = BoardConsole(System(outside=b""))

    with pytest.raises(TimedOut, match="no login prompt within 10s") as caught:
        at.logout(at.context, within=Duration("10s"))
    assert "does anything ask for a login" in caught.value.hint


@pytest.mark.parametrize("functions", [True, False])
@pytest.mark.parametrize(
    ("words", "how"),
    [
        (b"Requesting system poweroff\r\n[   12.345678] reboot: Power down\r\n", "power down"),
        (b"reboot: Power down\r\n", "power down"),
        (b"Power down.\r\n", "power down"),
        (b"[  OK  ] Reached target.\r\n[  9.1][    T1] reboot: System halted\r\n", "system halted"),
        (b"The system is going down NOW!\r\nSent SIGKILL to all processes\r\n", "silence"),
    ],
)
def test_the_end_of_a_system_is_told_from_its_last_words(words: bytes, how: str, functions: bool) -> None:
    at = BoardConsole(System(last_words=words, functions=functions))

    down = at.poweroff(at.context, command="poweroff", silence=SILENCE, within=LONG)

    assert down.how == how
    assert bool(down.line) is (how != "silence")
    assert at.board.executed.count("poweroff") == 1  # type: ignore[attr-defined]


def test_a_shell_that_still_answers_is_no_silence() -> None:
    at = BoardConsole(System(last_words=b""))

    with pytest.raises(Failed, match="the shell still answers after 'poweroff' and 5s of silence"):
        at.poweroff(at.context, command="poweroff", silence=SILENCE, within=LONG)


def test_a_command_that_fails_is_not_waited_for() -> None:
    at = BoardConsole(System(status=1))

    with pytest.raises(Failed, match="exit status 1, expected 0: poweroff"):
        at.poweroff(at.context, command="poweroff", silence=SILENCE, within=LONG)
    assert at.board.now() < 5


def test_a_system_that_never_ends_times_out() -> None:
    at = BoardConsole(System(last_words=b"a stop job is running\r\n", times=100))

    with pytest.raises(TimedOut, match="has not ended within 20s"):
        at.poweroff(at.context, command="poweroff", silence=SILENCE, within=Duration("20s"))


def test_a_damaged_order_is_typed_again_once() -> None:
    at = BoardConsole(System())
    at.run("true", at.context, timeout=LONG)
    hurt = len(at.board.typed) + 30
    at.board.hurt = lambda position, key: b"" if position == hurt else key

    assert at.poweroff(at.context, command="poweroff", silence=SILENCE, within=LONG).how == "power down"
    assert "arrived damaged" in at.context.logs[-1]


def test_an_order_that_stays_damaged_is_the_bench_s_fault() -> None:
    at = BoardConsole(System())
    at.run("true", at.context, timeout=LONG)
    at.board.hurt = lambda _position, key: b"" if key == b"w" else key

    with pytest.raises(LabError, match="damaged, also when typed again: poweroff"):
        at.poweroff(at.context, command="poweroff", silence=SILENCE, within=LONG)
